"""Target python: a package with the file inside."""

from __future__ import annotations

from linnet_export.bundle.constants import constant_names, quoted, type_name
from linnet_export.bundle.content import Content
from linnet_export.bundle.notices import notices
from linnet_export.bundle.subject import QUESTION, Subject

__all__ = ["content"]


def content(subject: Subject) -> Content:
    """Return the package, a sample and a requirements file."""
    package = subject.name
    return {
        f"{package}/__init__.py": _package(subject).encode(),
        f"{package}/{subject.asset}": subject.path,
        "sample.py": _sample(subject).encode(),
        "requirements.txt": _requirement(subject).encode(),
        **notices(subject),
    }


def _requirement(subject: Subject) -> str:
    extra = "" if subject.manifest.tokenizer_kind == "wordpiece" else "[tokenizers]"
    return f"linnet{extra}\n"


def _package(subject: Subject) -> str:
    labels = subject.manifest.labels
    lines = [
        f'"""{subject.asset}: {subject.manifest.task}. Written by linnet bundle."""',
        "",
        *(["import enum"] if labels else []),
        "from pathlib import Path",
        "",
        "import linnet",
        "",
        f"FILE = Path(__file__).with_name({quoted(subject.asset)})",
        "",
    ]
    if labels:
        lines += ["", f"class {type_name(subject.name)}(str, enum.Enum):", '    """The classes."""', ""]
        lines += [f"    {name} = {quoted(label)}" for name, label in zip(constant_names(labels), labels, strict=True)]
        lines += [""]
    return "\n".join(
        [*lines, "", "def load() -> linnet.Model:", '    """Open the file."""', "    return linnet.load(FILE)", ""]
    )


def _sample(subject: Subject) -> str:
    package, text, question = subject.name, quoted(subject.text), quoted(QUESTION)
    calls = {
        "text-classification": f"""\
best = model({text})[0]
    print({package}.{type_name(package)}(best["label"]), best["score"])""",
        "token-classification": f"""\
for entity in model({text}, aggregation_strategy="simple"):
        print(entity)""",
        "question-answering": f"print(model(question={question}, context={text}))",
        "fill-mask": f"""\
for proposal in model({text}):
        print(proposal)""",
        "text-ranking": f"""\
for passage in model.rank({question}, [{text}, "Nothing else."]):
        print(passage)""",
        "feature-extraction": f"print(model.encode({text})[:5])",
    }
    if subject.manifest.task == "feature-extraction" and "embedding" not in subject.manifest.outputs:
        calls["feature-extraction"] = f"print(model({text}))"
    return f"import {package}\n\nwith {package}.load() as model:\n    {calls[subject.manifest.task]}\n"
