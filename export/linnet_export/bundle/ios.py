"""Target ios: a Swift package with linnet's sources, an engine over ExecuTorch's, and a module for each file."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from linnet_export.bundle.constants import camel_names, quoted
from linnet_export.bundle.content import Content, collect
from linnet_export.bundle.guide import Guide
from linnet_export.bundle.kernels import kernel_sources
from linnet_export.bundle.notices import notices
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.support import app_sources, require_core
from linnet_export.tasks.base import SampleValues

__all__ = ["content", "guide"]

# what an enum has beside its cases; a case can have any other word of the language, in `quotes`
_RESERVED = ("allCases", "file", "hashValue", "init", "load", "open", "rawValue", "self", "type")
_MODELS = "let models: [String] = []"
_KERNELS = "Sources/CLinnetKernels"
_OF_A_LIBRARY = ("CMakeLists.txt", "executorch_symbols.c")
"""Files of the kernels as a shared library, which Swift packages have no use for: the app links ExecuTorch itself."""

_DECODER_NOTES = (
    "A decoder runs `forward` of ExecuTorch's package, whose cache is the program's own and holds one text at a time: "
    "texts that take turns are computed again from where they differ. `text(continuing:)` stops with its task, or with "
    "the loop that is left.",
)

_quoted = functools.partial(quoted, language="swift")


def content(subjects: Sequence[Subject], settings: BundleSettings) -> Content:
    """Return the package, its tests included."""
    for subject in subjects:
        require_core(subject, "ios")
    sources = app_sources("ios")
    swift, cpp = sources / "swift", sources / "cpp"
    manifest = (swift / "Package.swift").read_text(encoding="utf-8")
    names = ", ".join(_quoted(_module(subject)) for subject in subjects)
    files: Content = {
        "Package.swift": manifest.replace(_MODELS, f"let models = [{names}]").encode(),
        **collect(swift / "Sources", "Sources"),
        **collect(swift / "Tests", "Tests"),
        **collect(cpp / "text", "Sources/CLinnet/text"),
        **collect(cpp / "c_api", "Sources/CLinnet/c_api"),
        "Sources/CLinnet/include/linnet.h": cpp / "include" / "linnet.h",
        **{name: path for name, path in kernel_sources(cpp, _KERNELS).items() if not name.endswith(_OF_A_LIBRARY)},
        "Sources/Sample/main.swift": _main(subjects).encode(),
        **notices(subjects),
    }
    for subject in subjects:
        folder, name = f"Sources/{_module(subject)}", subject.type_name
        files[f"{folder}/{name}.swift"] = _constants(subject).encode()
        files[f"{folder}/Resources/{subject.asset}"] = subject.path
        files[f"Sources/Sample/{name}Sample.swift"] = _sample(subject).encode()
        files[f"Tests/LinnetTests/{name}Tests.swift"] = _test(subject).encode()
    return files


def guide(subjects: Sequence[Subject], settings: BundleSettings) -> Guide:
    """Return what to do with the package."""
    modules = [_module(subject) for subject in subjects]
    return Guide(
        parts=(
            *(
                (f"Sources/{_module(subject)}/", f"module with {subject.asset}, its labels, `load()` and `open()`")
                for subject in subjects
            ),
            (
                "Sources/Linnet/",
                "module `Linnet`: the Swift API, over `Sources/CLinnet/`: tokenizer and decoding in C++",
            ),
            ("Sources/LinnetExecuTorch/", "the engine over ExecuTorch's Swift package, which computes"),
            (f"{_KERNELS}/", "linnet's kernels for it, with ExecuTorch's headers"),
            ("Sources/Sample/", "asks each model once: `swift run Sample` on a Mac"),
            ("Tests/", "XCTest cases: `swift test`"),
        ),
        steps=(
            "In Xcode: File > Add Package Dependencies > Add Local, choose this folder, and add "
            f"{', '.join(f'`{module}`' for module in [*modules, 'Linnet'])} to the app's target.",
            "Add `-all_load` to the target's Other Linker Flags: ExecuTorch's kernels and linnet's register "
            "themselves, and the linker would leave them out as unused.",
            "The app has to be for iOS 17 or newer, as ExecuTorch's package.",
        ),
        language="swift",
        uses=tuple(map(_use, subjects)),
        notes=(
            "Calls block. `ask` and `answers(to:)` run them away from the main thread; a task that is cancelled while "
            "it waits never asks. A text that ExecuTorch is computing is computed to its end.",
            *(_DECODER_NOTES if any(subject.task.generates for subject in subjects) else ()),
            "linnet's kernels run in ExecuTorch's own runtime; `load(fused: false)` leaves them out, `Kernels.name` of "
            "`LinnetExecuTorch` says which run. If ExecuTorch lacks a symbol of theirs, the app does not link: "
            "`LINNET_KERNELS=0` in the environment of Xcode or `swift build` takes them out of the package.",
            "Package.swift takes ExecuTorch's branch `swiftpm-1.5.1`, the version that the file was made with. "
            "`LINNET_EXECUTORCH=FOLDER` takes another package of the same products.",
            "Never built for iOS or macOS by linnet's authors: on Linux every part of it was compiled, and its tests "
            "passed; the engine was compiled there against a stand-in with the interface of ExecuTorch's package.",
        ),
    )


def _module(subject: Subject) -> str:
    return f"{subject.type_name}Model"  # not Intents: Apple has a framework of that name


def _constants(subject: Subject) -> str:
    labels, name = subject.manifest.labels, subject.type_name
    kind = f"enum {name}: String, CaseIterable, Sendable" if labels else f"enum {name}"
    cases = "".join(
        f"    case `{constant}` = {_quoted(label)}\n"
        for constant, label in zip(camel_names(labels, _RESERVED), labels, strict=True)
    )
    return f"""\
// {subject.asset}: {subject.manifest.task}. Written by linnet bundle.
import Foundation
import Linnet
#if LINNET_EXECUTORCH
    import LinnetExecuTorch
#endif

public {kind} {{
{cases}\
    /// The file, a resource of this module.
    public static func file() throws -> URL {{ try Linnet.resource({_quoted(subject.asset)}, of: Bundle.module) }}

    #if LINNET_EXECUTORCH
        /// Open the file. It blocks: call it away from the main thread, or take `open()`.
        /// `fused`: false runs `forward` without linnet's kernels, true fails where they cannot run.
        public static func load(fused: Bool? = nil) throws -> Linnet {{ try Linnet.load(file: file(), fused: fused) }}

        /// Open the file away from the caller's thread.
        public static func open(fused: Bool? = nil) async throws -> Linnet {{
            try await Linnet.open(file: file(), fused: fused)
        }}
    #endif
}}
"""


def _test(subject: Subject) -> str:
    name = subject.type_name
    return f"""\
// {subject.asset} as a resource of its module. Written by linnet bundle.
import {_module(subject)}
import XCTest

@testable import Linnet

final class {name}Tests: XCTestCase {{
    func testTheFileIsThereAndWhole() throws {{
        try Linnet.verify(path: {name}.file().path)
    }}
}}
"""


def _call(subject: Subject) -> str:
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), subject.type_name, subject.embedding_size)
    return subject.task.swift_sample(values)


def _sample(subject: Subject) -> str:
    body = f"    String(describing: try {_call(subject)})\n"
    if subject.task.generates:
        body = f"""\
    let stream = try {_call(subject)}
    while let token = try stream.next() {{ print(token.text, terminator: "") }}
    return ""
"""
    return f"""\
// One call for {subject.asset}. Written by linnet bundle.
import Linnet
import {_module(subject)}

func sample{subject.type_name}(_ model: Linnet) throws -> String {{
{body}\
}}
"""


def _main(subjects: Sequence[Subject]) -> str:
    imports = "".join(f"    import {_module(subject)}\n" for subject in subjects)
    calls = "".join(f"    print(try sample{subject.type_name}({subject.type_name}.load()))\n" for subject in subjects)
    return f"""\
// Asks each model once. Written by linnet bundle.
#if LINNET_EXECUTORCH
{imports}
{calls}\
#else
    print("expected ExecuTorch's Swift package, which is for Apple's systems; build this on a Mac")
#endif
"""


def _use(subject: Subject) -> str:
    name = subject.type_name
    if subject.task.generates:
        return f"""\
import {_module(subject)}
import Linnet

let model = try await {name}.open()
for try await piece in model.text(continuing: {_quoted(subject.text)}) {{ print(piece, terminator: "") }}
"""
    return f"""\
import {_module(subject)}
import Linnet

let model = try await {name}.open()
let answer = try await model.ask {{ model in try {_call(subject)} }}
"""
