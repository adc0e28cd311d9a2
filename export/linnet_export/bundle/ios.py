"""Target ios: a Swift package with the sources of linnet and the file as a resource."""

from __future__ import annotations

import functools
from pathlib import Path

from linnet_export.bundle.constants import camel_names, quoted, type_name
from linnet_export.bundle.content import Content, collect
from linnet_export.bundle.notices import notices
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.support import app_sources, require_core
from linnet_export.tasks.base import SampleValues

__all__ = ["content"]

# what an enum has beside its cases; a case can have any other word of the language, in `quotes`
_RESERVED = ("allCases", "file", "hashValue", "init", "rawValue", "self", "type")


_quoted = functools.partial(quoted, language="swift")


def content(subject: Subject) -> Content:
    """Return the package, its tests included."""
    require_core(subject, "ios")
    sources = app_sources("ios")
    return {
        "Package.swift": sources / "swift" / "Package.swift",
        **collect(sources / "swift" / "Sources", "Sources"),
        **collect(sources / "swift" / "Tests", "Tests"),
        **collect(sources / "cpp" / "text", "Sources/CLinnet/text"),
        **collect(sources / "cpp" / "c_api", "Sources/CLinnet/c_api"),
        "Sources/CLinnet/include/linnet.h": sources / "cpp" / "include" / "linnet.h",
        f"Sources/Linnet/Resources/{subject.asset}": subject.path,
        f"Sources/Linnet/{type_name(subject.name)}.swift": _constants(subject).encode(),
        f"Tests/LinnetTests/{type_name(subject.name)}Tests.swift": _test(subject).encode(),
        "Sample.txt": _sample(subject).encode(),
        **notices(subject),
    }


def _constants(subject: Subject) -> str:
    labels, name = subject.manifest.labels, type_name(subject.name)
    kind = f"enum {name}: String, CaseIterable, Sendable" if labels else f"enum {name}"
    cases = [
        f"    case `{constant}` = {_quoted(label)}"
        for constant, label in zip(camel_names(labels, _RESERVED), labels, strict=True)
    ]
    stem = Path(subject.asset).stem
    return f"""\
// {subject.asset}: {subject.manifest.task}. Written by linnet bundle.
import Foundation

public {kind} {{
{chr(10).join(cases)}
    /// The file, a resource of this package.
    public static var file: URL? {{
        Bundle.module.url(forResource: {_quoted(stem)}, withExtension: "pte", subdirectory: "Resources")
    }}
}}
"""


def _test(subject: Subject) -> str:
    name = type_name(subject.name)
    return f"""\
// {subject.asset} as a resource of the package. Written by linnet bundle.
import XCTest

@testable import Linnet

final class {name}Tests: XCTestCase {{
    func testTheFileIsThereAndWhole() throws {{
        try Linnet.verify(path: XCTUnwrap({name}.file).path)
    }}
}}
"""


def _sample(subject: Subject) -> str:
    name = type_name(subject.name)
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), name, subject.embedding_size)
    return f"""\
let path = {name}.file!.path
try Linnet.check(path: path)                       // before the engine opens the file
let engine = MyEngine(path)                        // an Engine over ExecuTorch's Swift package
let model = try Linnet(manifest: engine.manifest(), engine: engine)
print(try {subject.task.swift_sample(values)})
"""
