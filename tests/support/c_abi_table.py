"""A C program that calls every function of linnet.h with every argument null, zero and huge.

The functions and structs are read from the header, so that a new one is in the table, or stops the test because its
types are unknown. Each case is one call: valid arguments, of which one, or one field of one, is hostile.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping

__all__ = ["Case", "functions", "program", "table"]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of a function, or a field of a struct."""

    kind: str
    name: str

    @property
    def is_pointer(self) -> bool:
        return self.kind.endswith("*")


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of linnet.h."""

    result: str
    name: str
    parameters: tuple[Parameter, ...]


@dataclasses.dataclass(frozen=True)
class Case:
    """One call: the C code before it, and what its status must be.

    Attributes:
        expected: a status, or "" for any but LINNET_INTERNAL.
    """

    name: str
    function: Function
    setup: str
    expected: str


SETS: Mapping[str, tuple[str, ...]] = {
    "size_t": ("0", "SIZE_MAX", "SIZE_MAX / 2 + 1"),  # a smaller size may be true
    "int32_t": ("0", "-1", "INT32_MIN", "INT32_MAX"),
    "int64_t": ("0", "-1", "INT64_MIN", "INT64_MAX"),
    "linnet_status": ("0", "-1", "INT32_MAX"),
    "double": ("0.0",),
    "float": ("0.0F", "-1.0F", "1e30F", "(float)NAN"),
    "uint64_t": ("0", "UINT64_MAX"),
}
ENUMS = (
    "linnet_truncation",
    "linnet_dtype",
    "linnet_value_type",
    "linnet_score_function",
    "linnet_aggregation",
    "linnet_fused",
    "linnet_constraint_kind",
    "linnet_mask_source",
    "linnet_mask_unit",
    "linnet_mask_mode",
)
MAY_BE_NULL = {
    *("pair", "options", "prompt_name", "text.bytes", "pair.bytes", "passage.bytes", "question.bytes", "context.bytes"),
    *("query.bytes", "token.bytes", "log_probability"),
}
"""Arguments that linnet.h allows to be NULL, or whose absence is not an error of every function."""

# a valid value of every parameter, by its name; `task` and `engine` depend on the function
VALID: Mapping[str, str] = {
    "bytes": "file_bytes", "size": "file_size", "tokenizer": "tokenizer", "id": "5", "token": "word", "text": "word",
    "text_size": "4", "pair": "word", "pair_size": "4", "window": "0", "ids": "ids", "count": "1", "skip_special": "0",
    "capacity": "4", "path": "path", "index": "0", "name": '"task"', "rows": "1", "columns": "3", "values": "floats",
    "truncate": "1", "normalize": "1", "vector": "floats", "scores": "floats", "prompt_name": "NULL", "model": "model",
    "generation": "1", "messages": "&message",
    "method": '"forward"', "inputs": "inputs", "input_count": "2", "passage_count": "1", "passages": "&word_text",
    "top_k": "1", "when": "LINNET_FUSED_NEVER", "on": "0", "bits": "8", "status": "LINNET_OK", "tensors": "inputs",
    "kind": "LINNET_CONSTRAINT_REGEX", "texts": "&pattern", "tokens_left": "9", "prompt_tokens": "1", "tokens": "3",
    "types": "&mask_type", "given": "&mask_given", "unit": "LINNET_MASK_UTF8", "mode": "LINNET_MASK_PSEUDONYM",
    "key": "mask_key", "key_size": "sizeof mask_key", "start": "0",
    "fields": "fields", "score_function": "LINNET_SCORES_SOFTMAX", "window_count": "1", "message": "signed_message",
}  # fmt: skip
BY_FUNCTION: Mapping[tuple[str, str], str] = {
    ("linnet_tokenizer_create", "bytes"): "tokenizer_bytes", ("linnet_tokenizer_create", "size"): "tokenizer_size",
    ("linnet_mask_session_load", "bytes"): "saved_session.bytes",
    ("linnet_mask_session_load", "size"): "saved_session.size",
    ("linnet_task_create", "count"): "field_count", ("linnet_outputs_create", "count"): "2",
    ("linnet_stats_start", "name"): '"toy"', ("linnet_stats_json", "json"): "stats_json",
    ("linnet_stats_json", "capacity"): "sizeof stats_json",
    ("linnet_embed", "capacity"): "16", ("linnet_file_signature", "path"): "signed_path",
    ("linnet_fill_mask", "text"): "mask_text",
    ("linnet_model_set_profiling", "model"): "other_model", ("linnet_model_set_fused", "model"): "other_model",
    ("linnet_model_set_activation_bits", "model"): "other_model",
    **{(f"linnet_task_{name}", "task"): "decoder_task" for name in ("sampling", "chat_prompt", "is_end")},
    ("linnet_task_chat_prompt", "text"): "word",
    **{(f"linnet_generation_{name}", "model"): "decoder" for name in ("create", "load")},
    **{(f"linnet_generation_{name}", "path"): "state_path" for name in ("save", "load")},
    **{(f"linnet_generation_{name}", "capacity"): "8" for name in ("create", "load")},
    ("linnet_generation_score", "logits"): "generation_logits", ("linnet_generation_rewind", "length"): "1",
    ("linnet_generation_remove", "count"): "0",
    ("linnet_generation_sample", "prompt_tokens"): "1", ("linnet_generation_sample", "id"): "(void*)&results[3]",
    ("linnet_generation_sample_constrained", "id"): "(void*)&results[5]",
    ("linnet_constraint_create", "task"): "decoder_task",
    ("linnet_constraint_allowed", "allowed"): "(void*)&results[2]", ("linnet_constraint_advance", "id"): "allowed_id",
    ("linnet_constraint_choose_token", "logits"): "generation_logits",
    ("linnet_constraint_choose_token", "vocab_size"): "1024",
    ("linnet_constraint_choose_token", "id"): "(void*)&results[8]",
    ("linnet_choose_token", "logits"): "floats", ("linnet_choose_token", "vocab_size"): "3",
    ("linnet_choose_token", "prompt_tokens"): "1", ("linnet_choose_token", "id"): "(void*)&results[3]",
}  # fmt: skip
ENTRIES = {("linnet_task_create", "fields"): "field_count", ("linnet_outputs_create", "tensors"): "2",
           ("linnet_model_run", "inputs"): "2"}  # fmt: skip
"""Length of arrays of structs that are longer than one."""

TASKS = {
    **dict.fromkeys(("find_entities", "decode_entities"), "entities"),
    **dict.fromkeys(("answer_question", "decode_spans"), "question"),
    **dict.fromkeys(("fill_mask", "decode_masks"), "mask"),
    **dict.fromkeys(("score", "rank", "decode_scores"), "ranking"),
    "embed": "embedding",
}
"""The fake file whose task a function is for; the others take the classifier."""


def _without_comments(header: str) -> str:
    return re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)


def _parameter(text: str) -> Parameter:
    found = re.fullmatch(r"(.*?)(\w+)(\[\w+\])?", text.strip())
    assert found, text
    kind = " ".join(found[1].replace("*", " * ").split()).replace(" *", "*")
    return Parameter(f"{kind}*" if found[3] else kind, found[2])


def functions(header: str) -> list[Function]:
    """Return every function of linnet.h."""
    found = []
    for declaration in re.findall(
        r"LINNET_API\s+((?:const )?\w+\s*\*?\s*linnet_\w+\([^;]*\));", _without_comments(header)
    ):
        head, _, rest = declaration.partition("(")
        parts = [part for part in rest.rstrip(")").split(",") if part.strip() != "void"]
        result = _parameter(head)
        found.append(Function(result.kind, result.name, tuple(map(_parameter, parts))))
    return found


def _structs(header: str) -> dict[str, tuple[Parameter, ...]]:
    found = {}
    for body, name in re.findall(
        r"typedef struct \{(.*?)\}\s*(linnet_\w+);", _without_comments(header), flags=re.DOTALL
    ):
        fields = [part for part in body.split(";") if part.strip() and "(" not in part]
        found[name] = tuple(map(_parameter, fields))
    return found


def _valid(function: Function, parameter: Parameter) -> str:
    """Return a C expression of a valid argument."""
    kind, name = parameter.kind, parameter.name
    if (function.name, name) in BY_FUNCTION:
        return BY_FUNCTION[function.name, name]
    short = function.name.removeprefix("linnet_")
    world = f"worlds[WORLD_{TASKS.get(short, 'classes').upper()}]"
    objects = {
        "const linnet_task*": f"{world}.task", "const linnet_engine*": f"&{world}.engine", "linnet_text": "word_text",
        "const linnet_window_outputs*": f"&{world}.window", "const linnet_encoding*": f"{world}.encoding",
        "const linnet_outputs*": "outputs", "const linnet_answers*": "answers", "const linnet_profile*": "profile",
        "const linnet_token_source*": "&token_source", "const linnet_encode_options*": "&encode_options",
        "const linnet_open_options*": "&open_options", "const linnet_class_options*": "&class_options",
        "const linnet_entity_options*": "&entity_options", "const linnet_question_options*": "&question_options",
        "const linnet_mask_options*": "&mask_options", "linnet_text_stream*": "stream",
        "linnet_generation*": "generation", "linnet_constraint*": "constraint",
        "const linnet_constraint*": "constraint",
        "const linnet_generation*": "generation", "const linnet_message*": "&message",
        "const linnet_masker*": "masker", "linnet_mask_session*": "mask_session", "const linnet_masked*": "masked",
        "const linnet_mask_session*": "mask_session", "linnet_unmask_stream*": "unmask_stream",
    }  # fmt: skip
    if kind == "const linnet_sampling*":
        return "&sampling"
    if kind in objects:
        return objects[kind]
    if kind == "const linnet_tensor*" and name == "logits":
        return f"&{world}.logits"
    if name in VALID and not (kind.endswith("**") or (parameter == function.parameters[-1] and _is_result(parameter))):
        return VALID[name]
    assert _is_result(parameter), f"{function.name}: no valid value is known for {kind} {name}"
    return f"(void*)&results[{function.parameters.index(parameter)}]"


def _is_result(parameter: Parameter) -> bool:
    return parameter.is_pointer and (not parameter.kind.startswith("const") or parameter.kind.endswith("**"))


def table(header: str) -> Iterator[Case]:
    """Yield every case: first the valid call of each function, which must succeed."""
    structs = _structs(header)
    for function in functions(header):
        if function.name.endswith("_free"):
            yield Case(f"{function.name}(NULL)", function, "arguments_0 = NULL;", "")
            continue
        yield Case(f"{function.name}, valid", function, "", "LINNET_OK")
        for place, parameter in enumerate(function.parameters):
            yield from _hostile(function, f"arguments_{place}", parameter, structs)


def _hostile(
    function: Function, target: str, parameter: Parameter, structs: Mapping[str, tuple[Parameter, ...]]
) -> Iterator[Case]:
    kind, label = parameter.kind, f"{function.name}, {parameter.name}"
    base = kind.removeprefix("const ").rstrip("*")
    if parameter.is_pointer:
        needed = parameter.name not in MAY_BE_NULL and function.result == "linnet_status"
        yield Case(f"{label} NULL", function, f"{target} = NULL;", "LINNET_INVALID_ARGUMENT" if needed else "")
        if kind.startswith("const ") and base in structs and kind.count("*") == 1:
            entries = ENTRIES.get((function.name, parameter.name), "1")
            copy = f"static {base} changed[64]; memcpy(changed, {target}, {entries} * sizeof *changed);"
            copy += f" {target} = changed;"
            yield Case(f"{label} zero", function, copy + " memset(&changed[0], 0, sizeof changed[0]);", "")
            for field in structs[base]:
                yield from _fields(function, label, copy, "changed[0]", field, structs)
    elif kind in structs:
        yield Case(f"{label} zero", function, f"memset(&{target}, 0, sizeof {target});", "")
        for field in structs[kind]:
            yield from _fields(function, label, "", target, field, structs)
    else:
        for value in _numbers(kind):
            yield Case(f"{label} {value}", function, f"{target} = {value};", "")


def _fields(
    function: Function,
    label: str,
    copy: str,
    owner: str,
    field: Parameter,
    structs: Mapping[str, tuple[Parameter, ...]],
) -> Iterator[Case]:
    place = f"{owner}.{field.name}"
    if field.kind in structs:
        for inner in structs[field.kind]:
            yield from _fields(function, f"{label}.{field.name}", copy, place, inner, structs)
    elif field.name == "shape":
        for value in SETS["int64_t"]:
            for axis in range(2):
                yield Case(f"{label}.shape[{axis}] {value}", function, f"{copy} {place}[{axis}] = {value};", "")
    elif field.is_pointer:
        yield Case(f"{label}.{field.name} NULL", function, f"{copy} {place} = NULL;", "")
    else:
        for value in _numbers(field.kind):
            yield Case(f"{label}.{field.name} {value}", function, f"{copy} {place} = {value};", "")


def _numbers(kind: str) -> tuple[str, ...]:
    if kind in ENUMS:
        return (f"({kind})-1", f"({kind})99")
    assert kind in SETS, f"no hostile values are known for {kind}"
    return SETS[kind]


def program(header: str, world: str) -> str:
    """Return the C program: the world that the arguments come from, one function for each case, and a table of them."""
    cases = list(table(header))
    lines = [world]
    for number, case in enumerate(cases):
        lines += _case(number, case)
    rows = ",\n".join(f'  {{"{case.name}", case_{number}, {case.expected or -1}}}' for number, case in enumerate(cases))
    lines += [f"static const struct row rows[] = {{\n{rows}\n}};", "#define ROWS (sizeof rows / sizeof rows[0])", MAIN]
    return "\n".join(lines)


def _case(number: int, case: Case) -> Iterator[str]:
    function = case.function
    yield f"static linnet_status case_{number}(void) {{"
    yield "  memset(results, 0, sizeof results);"
    for place, parameter in enumerate(function.parameters):
        kind = parameter.kind
        valid = "NULL" if function.name.endswith("_free") else _valid(function, parameter)
        yield f"  {kind} arguments_{place} = {valid};"
    if case.setup:
        yield f"  {case.setup}"
    call = f"{function.name}({', '.join(f'arguments_{place}' for place in range(len(function.parameters)))})"
    if function.result == "linnet_status":
        yield f"  return {call};"
    else:
        yield f"  {'' if function.result == 'void' else '(void)'}{call};"
        yield "  return LINNET_OK;"
    yield "}"


MAIN = """
int main(int argc, char** argv) {
  make_worlds(argc, argv);
  int failed = 0;
  for (size_t i = 0; i < ROWS; ++i) {
    printf("%s\\n", rows[i].name);
    fflush(stdout);
    const linnet_status status = rows[i].call();
    const int wrong = status == LINNET_INTERNAL || strcmp(linnet_status_name(status), "LINNET_UNKNOWN") == 0 ||
                      (rows[i].expected >= 0 && status != rows[i].expected);
    if (wrong) {
      ++failed;
      fprintf(stderr, "%s: %s (%s)\\n", rows[i].name, linnet_status_name(status), linnet_last_error());
    }
  }
  printf("%zu cases, %d failed\\n", ROWS, failed);
  return failed > 0;
}
"""
