"""Post-processors of the tables: templates of special tokens, and whether spaces are left out of offsets."""

from __future__ import annotations

import dataclasses

from linnet_export.tokenizer.errors import unsupported_part
from linnet_export.tokenizer.packing import bits, numbers
from linnet_export.tokenizer.parts import FIRST, SECOND, Json, Piece, bert_pieces, template_pieces
from linnet_export.tokenizer.tables.steps import components

__all__ = ["post_processor"]


@dataclasses.dataclass
class _Result:
    single: list[Piece] = dataclasses.field(default_factory=lambda: [(FIRST, 0, 0)])
    pair: list[Piece] = dataclasses.field(default_factory=lambda: [(FIRST, 0, 0), (SECOND, 1, 0)])
    trim: bool = False
    prefix_space: bool = False
    has_template: bool = False


def post_processor(component: Json | None) -> bytes:
    """Return the content of the block.

    Raises:
        UnsupportedTokenizerError: the core cannot do what the component does.
    """
    result = _Result()
    for inner in components(component, "processors"):
        maker = _MAKERS.get(inner["type"])
        if maker is None:
            raise unsupported_part(f"post_processor {inner['type']}", f"one of {', '.join(sorted(_MAKERS))}")
        maker(inner, result)
    for pieces, texts in ((result.single, (1, 0)), (result.pair, (1, 1))):
        found = tuple(sum(kind == text for kind, _, _ in pieces) for text in (FIRST, SECOND))
        if found != texts:
            raise unsupported_part("a template without each text once", "templates with each text once")
    flags = bits((result.trim, result.prefix_space))
    return numbers(flags) + b"".join(
        numbers(len(pieces), *(number for piece in pieces for number in piece))
        for pieces in (result.single, result.pair)
    )


def _trim(component: Json, result: _Result) -> None:
    if result.has_template:  # `tokenizers` then counts special tokens to the texts
        raise unsupported_part("post_processor ByteLevel behind one with special tokens", "ByteLevel first")
    if component["trim_offsets"]:
        if result.trim:
            raise unsupported_part("two post_processors with trim_offsets", "one")
        result.trim = True
        result.prefix_space = component["add_prefix_space"]


def _set_templates(result: _Result, single: list[Piece], pair: list[Piece]) -> None:
    if result.has_template:
        raise unsupported_part("two post_processors that add special tokens", "one")
    result.has_template = True
    result.single, result.pair = single, pair


def _template(component: Json, result: _Result) -> None:
    special = component["special_tokens"]
    single, pair = (list(template_pieces(component[name], special)) for name in ("single", "pair"))
    _set_templates(result, single, pair)


def _bert(component: Json, result: _Result) -> None:
    _set_templates(result, *bert_pieces(component))


def _roberta(component: Json, result: _Result) -> None:
    _trim(component, result)
    single, _ = bert_pieces(component)
    sep = single[-1]
    _set_templates(result, single, [*single, sep, (SECOND, 0, 0), sep])


_MAKERS = {
    "BertProcessing": _bert,
    "ByteLevel": _trim,
    "RobertaProcessing": _roberta,
    "TemplateProcessing": _template,
}
