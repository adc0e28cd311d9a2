"""Target c: a CMake project with liblinnet, and label constants and a sample program for each file."""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable, Sequence

from linnet_export.bundle.constants import constant_names, quoted
from linnet_export.bundle.content import Content, collect
from linnet_export.bundle.guide import Guide
from linnet_export.bundle.notices import RUNTIME, notices
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.support import require_core
from linnet_export.bundle.wheels import check_architecture, read_runtime
from linnet_export.tasks.base import CSample, SampleValues

__all__ = ["content", "guide"]


_quoted = functools.partial(quoted, language="c")


def content(subjects: Sequence[Subject], settings: BundleSettings) -> Content:
    """Return a CMake project."""
    for subject in subjects:
        require_core(subject, "c")
    check_architecture(settings)
    runtime = read_runtime(settings.wheel) if settings.wheel is not None else _installed()
    files: Content = {
        **{f"linnet/{name}": data for name, data in runtime.items() if "LICENSE" not in name},
        "CMakeLists.txt": _cmake(subjects).encode(),
        **notices(subjects),
    }
    taken: set[str] = set()
    for subject in subjects:
        files[f"model/{subject.asset}"] = subject.path
        files[f"{subject.name}.h"] = _header(subject, taken).encode()
        files[f"{subject.name}_sample.c"] = _sample(subject).encode()
    return files


def guide(subjects: Sequence[Subject], settings: BundleSettings) -> Guide:
    """Return what to do with the project."""
    first, architecture = subjects[0], check_architecture(settings)
    compiler = f" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER={architecture}-linux-gnu-gcc"
    cross = compiler if architecture != platform.machine() else ""
    here = ". Leave the two settings out where you build on the machine itself." if cross else ""
    return Guide(
        parts=(
            ("linnet/", f"liblinnet for {architecture} Linux, its header, a CMake package, pkg-config"),
            ("model/", "the models"),
            *(
                (f"{subject.name}.h", f"the labels of {subject.asset} as an enum, its file name")
                for subject in subjects
            ),
            *((f"{subject.name}_sample.c", f"a program that asks {subject.asset} once") for subject in subjects),
        ),
        steps=(
            f"`cmake -S . -B build{cross} && cmake --build build`{here}",
            f"`./build/{first.name}_sample`, from any folder; its argument is another folder with the models.",
            "For another machine: `cmake --install build --prefix FOLDER`, copy the folder there, and run "
            f"`FOLDER/bin/{first.name}_sample FOLDER/model`.",
            'In your project: `find_package(linnet CONFIG REQUIRED PATHS ".../linnet/lib/cmake/linnet")` and '
            "`target_link_libraries(app PRIVATE linnet::linnet)`.",
        ),
        language="c",
        uses=tuple(map(_use, subjects)),
        notes=(
            "One process may open several models; each has its own `linnet_model`. A call at a time on each.",
            "Every function returns a status, and `linnet_last_error()` says what was expected, found and to do; "
            "`linnet.h` documents all of them. For many texts, call in a loop.",
            "`linnet bundle --target c --wheel FILE` takes the library of another machine, such as that of the wheel "
            "for aarch64.",
        ),
    )


def _installed() -> Content:
    return {**collect(RUNTIME / "lib", "lib"), "include/linnet.h": RUNTIME / "include" / "linnet.h"}


def _header(subject: Subject, taken: set[str]) -> str:
    """Return the header; ``taken`` has the names of the other headers, which may be included beside it."""
    prefix = subject.name.upper()
    lines = [
        f"/* {subject.asset}: {subject.manifest.task}. Written by linnet bundle. */",
        f"#ifndef LINNET_{prefix}_H",
        f"#define LINNET_{prefix}_H",
        "",
        f"#define {prefix}_FILE {_quoted(subject.asset)}",
    ]
    labels = subject.manifest.labels
    names = constant_names(labels, {"FILE", *_without(f"{prefix}_", taken)})
    if labels:
        lines += ["", "/* The classes: label_index of a linnet_answer. */", "enum {"]
        lines += [f"  {prefix}_{name} = {index}," for index, name in enumerate(names)]
        lines += ["};"]
    taken.update({f"{prefix}_FILE", *(f"{prefix}_{name}" for name in names)})
    return "\n".join([*lines, "", f"#endif /* LINNET_{prefix}_H */", ""])


def _without(prefix: str, names: Iterable[str]) -> list[str]:
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _cmake(subjects: Sequence[Subject]) -> str:
    names = " ".join(subject.name for subject in subjects)
    return f"""\
# Builds a sample for each model against the liblinnet in this folder. Written by linnet bundle.
cmake_minimum_required(VERSION 3.16)
project(linnet_models LANGUAGES C)
find_package(linnet CONFIG REQUIRED PATHS "${{CMAKE_CURRENT_SOURCE_DIR}}/linnet/lib/cmake/linnet" NO_DEFAULT_PATH
             NO_CMAKE_FIND_ROOT_PATH)
foreach(name {names})
  add_executable(${{name}}_sample ${{name}}_sample.c)
  target_link_libraries(${{name}}_sample PRIVATE linnet::linnet)
  # a linker for another machine finds the libraries of liblinnet by this alone
  target_link_options(${{name}}_sample PRIVATE "LINKER:-rpath-link,${{CMAKE_CURRENT_SOURCE_DIR}}/linnet/lib")
  target_compile_definitions(${{name}}_sample PRIVATE "MODEL_FOLDER=\\"${{CMAKE_CURRENT_SOURCE_DIR}}/model\\"")
  set_target_properties(${{name}}_sample PROPERTIES INSTALL_RPATH "\\$ORIGIN/../lib")
  install(TARGETS ${{name}}_sample RUNTIME DESTINATION bin)
endforeach()
install(DIRECTORY linnet/lib/ DESTINATION lib FILES_MATCHING PATTERN "*.so*")
install(DIRECTORY model DESTINATION .)
"""


def _sample(subject: Subject) -> str:
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), "", subject.embedding_size)
    sample = subject.task.c_sample(values)
    functions = f"{sample.functions}\n" if sample.functions else ""
    head = _HEAD.format(name=subject.name, file=f"{subject.name.upper()}_FILE", functions=functions)
    if sample.functions:
        return head + _printed(values, sample)
    return head + (_numbers(values, sample) if sample.numbers else _answers(values, sample))


_HEAD = """\
/* Usage: {name}_sample [FOLDER OF THE MODEL] */
#include <stdio.h>

#include "linnet.h"
#include "{name}.h"

#define TEXT(literal) ((linnet_text){{literal, sizeof(literal) - 1}})

static int failed(linnet_status status) {{
  if (status != LINNET_OK) fprintf(stderr, "%s: %s\\n", linnet_status_name(status), linnet_last_error());
  return status != LINNET_OK;
}}

{functions}int main(int argc, char** argv) {{
  char path[4096];
  linnet_model* model = NULL;
  const linnet_task* task = NULL;
  linnet_engine engine;
  snprintf(path, sizeof path, "%s/%s", argc > 1 ? argv[1] : MODEL_FOLDER, {file});
  if (failed(linnet_model_open(path, NULL, &model)) || failed(linnet_model_task(model, &task)) ||
      failed(linnet_model_engine(model, &engine))) {{
    return 1;
  }}
"""


def _use(subject: Subject) -> str:
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), "", subject.embedding_size)
    sample = subject.task.c_sample(values)
    question = [f"const linnet_text question = TEXT({values.question});"] if sample.with_question else []
    result, read, free = ["linnet_answers* answers = NULL;"], _PRINT_ANSWERS, "  linnet_answers_free(answers);\n"
    if sample.numbers:
        result, read, free = (
            [f"float numbers[{sample.numbers}];", f"size_t count = {sample.numbers};"],
            _PRINT_NUMBERS,
            "",
        )
    elif sample.functions:
        result, read, free = [], "  putchar('\\n');\n", ""
    before = "".join(f"  {line}\n" for line in (*question, *result, *sample.setup))
    functions = f"{sample.functions}\n" if sample.functions else ""
    engine = "" if sample.functions else "  linnet_engine engine;\n"
    opened = "" if sample.functions else "  if (status == LINNET_OK) status = linnet_model_engine(model, &engine);\n"
    return f"""\
#include <stdio.h>

#include "linnet.h"
#include "{subject.name}.h"

#define TEXT(literal) ((linnet_text){{literal, sizeof(literal) - 1}})

{functions}/* Ask once; `folder` holds the model. An app keeps what is opened here. */
linnet_status ask_{subject.name}(const char* folder) {{
  char path[4096];
  linnet_model* model = NULL;
  const linnet_task* task = NULL;
{engine}\
  const linnet_text text = TEXT({values.text});
{before}\
  snprintf(path, sizeof path, "%s/%s", folder, {subject.name.upper()}_FILE);
  linnet_status status = linnet_model_open(path, NULL, &model);
  if (status == LINNET_OK) status = linnet_model_task(model, &task);
{opened}\
  if (status == LINNET_OK) status = {sample.call};
  if (status != LINNET_OK) {{
    fprintf(stderr, "%s: %s\\n", linnet_status_name(status), linnet_last_error());
  }} else {{
{_indented(read)}\
  }}
{free}\
  linnet_model_free(model);
  return status;
}}
"""


def _indented(lines: str) -> str:
    return "".join(f"  {line}" for line in lines.splitlines(keepends=True))


_PRINT_ANSWERS = """\
  for (size_t i = 0; i < linnet_answers_count(answers); ++i) {
    linnet_answer answer;
    linnet_answers_get(answers, i, &answer);
    printf("%.*s\\t%.*s\\t%.6f\\n", (int)answer.label.size, answer.label.bytes, (int)answer.text.size,
           answer.text.bytes, answer.score);
  }
"""
_PRINT_NUMBERS = """\
  for (size_t i = 0; i < count; ++i) {
    printf("%.6f\\n", (double)numbers[i]);
  }
"""


def _answers(values: SampleValues, sample: CSample) -> str:
    question = f"  const linnet_text question = TEXT({values.question});\n" if sample.with_question else ""
    setup = "".join(f"  {line}\n" for line in sample.setup)
    return f"""\
{question}  const linnet_text text = TEXT({values.text});
{setup}  linnet_answers* answers = NULL;
  if (failed({sample.call})) {{
    return 1;
  }}
{_PRINT_ANSWERS}  linnet_answers_free(answers);
  linnet_model_free(model);
  return 0;
}}
"""


def _printed(values: SampleValues, sample: CSample) -> str:
    return f"""\
  const linnet_text text = TEXT({values.text});
  if (failed({sample.call})) {{
    return 1;
  }}
  putchar('\\n');
  linnet_model_free(model);
  return 0;
}}
"""


def _numbers(values: SampleValues, sample: CSample) -> str:
    return f"""\
  const linnet_text text = TEXT({values.text});
  float numbers[{sample.numbers}];
  size_t count = {sample.numbers};
  if (failed({sample.call})) {{
    return 1;
  }}
{_PRINT_NUMBERS}  linnet_model_free(model);
  return 0;
}}
"""
