"""Constraints of generated texts, without a model: expressions against Python's re, schemas against jsonschema."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import InvalidArgumentError
from tests.support.constraints import END, KINDS, matches, task_of, walk
from tests.support.random_schemas import random_schema

ATOMS = [
    "a",
    "b",
    "é",
    "漢",
    r"\.",
    ".",
    r"\d",
    r"\w",
    r"\s",
    r"\D",
    r"\W",
    r"\S",
    "[ab]",
    "[^a]",
    "[a-cé]",
    r"[\d-]",
    r"\x41",
]
CHARACTERS = "abcAé漢😀.1- \n{}"


def regex(pattern: str, kind: str = "bytes") -> Any:
    return task_of(kind)[0].constraint("regex", [pattern])


def schema(value: object, kind: str = "bytes") -> Any:
    return task_of(kind)[0].constraint("json_schema", [json.dumps(value)])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.sampled_from(["({})", "(?:{})", "(?P<n>{})"])
    sign = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{,2}", "{1,}", "*?"])
    return st.one_of(
        st.builds(lambda left, right: left + right, inner, inner),
        st.builds(lambda left, right: f"(?:{left}|{right})", inner, inner),
        st.builds(lambda text, repeat: f"(?:{text}){repeat}", inner, sign),
        st.builds(lambda text, form: form.format(text).replace("?P<n>", "?:"), inner, group),
    )


EXPRESSIONS = st.recursive(st.sampled_from(ATOMS), _grow, max_leaves=8)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.lists(st.text(CHARACTERS, max_size=7), min_size=5, max_size=5), st.integers(0, 2**32))
def test_an_expression_matches_what_it_matches_in_python(pattern: str, texts: list[str], seed: int) -> None:
    constraint = regex(pattern)
    for text in texts:
        assert matches(constraint, text) == bool(re.fullmatch(pattern, text, re.ASCII)), (pattern, text)
    made = walk("bytes", constraint, constraint.least_tokens + 8, random.Random(seed)).text
    assert re.fullmatch(pattern, made, re.ASCII), (pattern, made)
    assert matches(constraint, made)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^ab$|c", ["ab", "c"], ["b", "abc"]),
        ("{x}", ["{x}"], ["x"]),
        ("a{,2}", ["", "aa"], ["aaa"]),
        ("(a|)b{2,}", ["bb", "abbb"], ["ab"]),
        (r"[\u4e00-\u9fff]{2}", ["漢字"], ["漢", "ab"]),
        (r"[-a\]]+", ["-a]"], ["b"]),
        ("\U00010000-\U0010ffff", ["\U00010000-\U0010ffff"], ["-"]),
        ("[\U00010000-\U0010ffff]", ["\U00010000", "\U0010ffff", "😀"], ["\uffff"]),
        ("", [""], ["a"]),
    ],
)
def test_borders_of_expressions(pattern: str, good: list[str], bad: list[str]) -> None:
    constraint = regex(pattern)
    for text in good:
        assert matches(constraint, text)
        assert re.fullmatch(pattern, text, re.ASCII)
    for text in bad:
        assert not matches(constraint, text)
        assert not re.fullmatch(pattern, text, re.ASCII)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "byte 1: a group is open"),
        ("a)", "without a group"),
        ("*a", "nothing is before a quantifier"),
        ("a**", "nothing is before a quantifier"),
        ("a++", "possessive"),
        (r"\bword", r"found \\b"),
        ("(?=a)", "look-around"),
        ("(?i)a", "flags"),
        ("a^", r"found \^ inside"),
        ("(a$)", r"found \$ in a group"),
        ("[]a]", "beginning of a class"),
        ("[z-a]", "no range"),
        ("a{3,1}", "m above n"),
        ("a{99999}", "above 65536"),
        (r"(a{200}){400}", "more than 65536 states"),
        (r"\ud800", "surrogate"),
        ("\\", "ends too early"),
    ],
)
def test_expressions_that_are_refused_by_name(pattern: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        regex(pattern)


@pytest.mark.parametrize("kind", KINDS)
def test_no_walk_is_a_dead_end_with_any_kind_of_tokenizer(kind: str) -> None:
    patterns = [r"[a-z]+( [a-z]+)*", r"the (cat|dog){1,3}", r"\d{1,3}(\.\d+)?", r"(caf)+é?", r".{0,10}", r"(a?){30}b"]
    for pattern in patterns:
        constraint = regex(pattern, kind)
        for seed in range(40):
            source = random.Random(seed)
            limit = source.choice([max(constraint.least_tokens, 1), constraint.least_tokens + 3, 60])
            made = walk(kind, constraint, limit, source)
            assert re.fullmatch(pattern, made.text), (kind, pattern, made.text)


def test_what_a_vocabulary_cannot_write_is_refused() -> None:
    for pattern in ("é!", "漢", "a漢*b?漢"):
        with pytest.raises(InvalidArgumentError, match="vocabulary"):
            regex(pattern, "unigram")
    assert walk("unigram", regex("(漢|x)+", "unigram"), 9, random.Random(1)).text.strip("x") == ""
    with pytest.raises(InvalidArgumentError, match="no text fulfils"):
        schema(False)


def test_a_limit_ends_every_text() -> None:
    constraint = schema({"type": "array", "items": {"type": "string"}, "minItems": 2})
    least = constraint.least_tokens
    with pytest.raises(InvalidArgumentError, match=f"{least - 1} tokens are left, the constraint needs {least}"):
        constraint.allowed(10, least - 1)
    for limit in range(least, least + 12):
        for seed in range(20):
            made = walk("bytes", constraint, limit, random.Random(seed))
            assert len(made.ids) <= limit
            assert len(json.loads(made.text)) >= 2


def test_choices_are_whole() -> None:
    task, _, _ = task_of("bytes")
    constraint = task.constraint("choices", ["yes", "no", "yes, é"])
    made = {walk("bytes", constraint, 20, random.Random(seed)).text for seed in range(200)}
    assert made == {"yes", "no", "yes, é"}
    for wrong in ([], [""], ["a", ""]):
        with pytest.raises(InvalidArgumentError, match="choice"):
            task.constraint("choices", wrong)


def test_an_end_token_is_no_text_though_it_is_not_special() -> None:
    task, _, end = task_of("plain end")
    constraint = task.constraint("regex", [f"(a|{END})+"])
    made = {walk("plain end", constraint, 12, random.Random(seed)).text for seed in range(50)}
    assert all(re.fullmatch(f"(a|{END})+", text) for text in made)
    assert constraint.allowed(end + 1)[end] == 0


def test_a_constraint_goes_forth_and_back() -> None:
    task, _, end = task_of("bytes")
    constraint = task.constraint("choices", ["ab"])
    fork = constraint.fork()
    token = fork.allowed(400).index(1)
    fork.advance(token)
    assert not constraint.complete
    with pytest.raises(InvalidArgumentError, match="may not come next"):
        constraint.advance(end)
    while not fork.finished:
        fork.advance(fork.allowed(400).index(1))
    assert fork.least_tokens == 0
    fork.advance(end)
    assert not any(fork.allowed(400))
    fork.reset()
    assert not fork.complete
    with pytest.raises(InvalidArgumentError, match="kind is"):
        task.constraint("grammar", ["x"])


@pytest.mark.parametrize(
    ("value", "good", "bad"),
    [
        ({"type": "integer"}, ["0", "-12", "123456789012345"], ["01", "1.0", "+1", "1234567890123456"]),
        ({"type": "number"}, ["0.5", "-1e+9", "10.25E-3"], [".5", "1.", "1e999", "0x1"]),
        ({"type": "string", "maxLength": 2}, ['"é😀"', '"\\n\\""', '"\\u0001"'], ['"abc"', '"\n"', '"\\u0041"', "'a'"]),
        ({"type": "string", "pattern": "^a.$"}, ['"a\\""', '"aé"'], ['"a"', '"xab"', '"a\\n"']),
        ({"type": "string", "pattern": "b"}, ['"abc"', '"b"'], ['"ac"']),
        ({"enum": ["a", 1, None, {"k": [1, 2]}]}, ['"a"', "1", "null", '{"k": [1,2]}'], ["2", '{"k":[2]}']),
        ({"type": ["null", "boolean"]}, ["null", "true"], ["0"]),
        ({"properties": {"a": {"type": "null"}, "b": {"type": "null"}}},
         ["{}", '{"a":null}', '{"b": null}', '{"a":null, "b":null}'], ['{"b":null,"a":null}', '{,"b":null}', "{ }"]),
        ({"properties": {"a": {"const": 1}}, "required": ["a"]}, ['{"a":1}'], ["{}", '{"a":1,}']),
        ({"type": "array", "items": {"const": 1}, "minItems": 2, "maxItems": 3},
         ["[1,1]", "[1, 1, 1]"], ["[1]", "[1,1,1,1]"]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, ["{}", '{"x": 1,"é":2}'], ['{"x":"1"}']),
        ({"$ref": "#/$defs/t", "$defs": {"t": {"properties": {"t": {"$ref": "#/$defs/t"}}}}},
         ['{"t":{"t":{"t":{}}}}'], ['{"t":{"t":{"t":{"t":{}}}}}']),
        ({}, ['[1,{"a":2}]', '"x"', "[]"], ['[[["too deep"]]]']),
    ],
)  # fmt: skip
def test_texts_of_schemas(value: object, good: list[str], bad: list[str]) -> None:
    constraint = schema(value)
    validator = jsonschema.Draft202012Validator(value)
    for text in good:
        assert matches(constraint, text), text
        validator.validate(json.loads(text))
    for text in bad:
        assert not matches(constraint, text), text


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"type": "integer", "minimum": 3}, 'the keyword "minimum" is not supported'),
        ({"type": "string", "format": "date"}, '"format" is not supported'),
        ({"type": "array", "uniqueItems": True}, '"uniqueItems"'),
        ({"properties": {"a": {"not": {}}}}, '#/properties/a: the keyword "not"'),
        ({"type": "text"}, '"type" is none of'),
        ({"type": []}, '"type" is none of'),
        ({"required": ["a"]}, "not among the properties"),
        ({"type": "string", "pattern": "a", "maxLength": 3}, '"pattern" beside'),
        ({"type": "string", "pattern": "(?=a)"}, "look-around"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, '"minLength" is above'),
        ({"type": "string", "maxLength": -1}, '"maxLength" is no integer'),
        ({"type": "string", "maxLength": 100000}, "more than 65536 states"),
        ({"$ref": "#/$defs/x"}, "there is no #/\\$defs/x"),
        ({"$ref": "other.json"}, "expected a reference within"),
        ({"$ref": "#"}, "no text fulfils"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "refers to itself"),
        ({"anyOf": [{}], "type": "string"}, '"type" beside "anyOf"'),
        ({"allOf": [{}, {}]}, "hold at once"),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, "both schema 0 and schema 1"),
        ({"oneOf": [{"type": "object"}, {"type": "object", "properties": {"a": {}}}]}, "use anyOf"),
        ({"enum": []}, "expected a list of values"),
        ({"enum": [1], "type": "string"}, "no value is of the type"),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "null"}}, '"additionalProperties" beside'),
        (3, "expected an object, true or false"),
    ],
)  # fmt: skip
def test_schemas_that_are_refused_by_name(value: object, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        schema(value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", '{"a":1,}', '{"a":1 "b":2}', "tru", "01", "1.", '"\\x"', '"\\ud800"', '"a\nb"', "{} {}",
     '{"a":1,"a":2}', "[" * 100 + "]" * 100, "\u00e9"],
)  # fmt: skip
def test_what_is_no_json_is_no_schema(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="the JSON schema"):
        task_of("bytes")[0].constraint("json_schema", [text])


def test_random_walks_through_random_schemas_are_valid() -> None:
    for number in range(300):
        source = random.Random(number)
        value = random_schema(source)
        constraint = schema(value)
        limit = source.choice(
            [max(1, constraint.least_tokens), constraint.least_tokens + 5, constraint.least_tokens + 90]
        )
        text = walk("bytes", constraint, limit, source).text
        jsonschema.Draft202012Validator(value).validate(json.loads(text))
