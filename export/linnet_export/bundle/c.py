"""Target c: a CMake project with liblinnet, label constants and a sample program."""

from __future__ import annotations

import functools

from linnet_export.bundle.constants import constant_names, quoted
from linnet_export.bundle.content import Content, collect
from linnet_export.bundle.notices import RUNTIME, notices
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.support import require_core
from linnet_export.tasks.base import CSample, SampleValues

__all__ = ["content"]


_quoted = functools.partial(quoted, language="c")


def content(subject: Subject) -> Content:
    """Return a CMake project."""
    require_core(subject, "c")
    libraries = {name: data for name, data in collect(RUNTIME / "lib", "linnet/lib").items() if "LICENSE" not in name}
    return {
        **libraries,
        "linnet/include/linnet.h": RUNTIME / "include" / "linnet.h",
        f"model/{subject.asset}": subject.path,
        f"{subject.name}.h": _header(subject).encode(),
        "sample.c": _sample(subject).encode(),
        "CMakeLists.txt": _cmake(subject).encode(),
        **notices(subject),
    }


def _header(subject: Subject) -> str:
    guard, prefix = f"LINNET_{subject.name.upper()}_H", subject.name.upper()
    lines = [
        f"/* {subject.asset}: {subject.manifest.task}. Written by linnet bundle. */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        f"#define {prefix}_FILE {_quoted(subject.asset)}",
    ]
    labels = subject.manifest.labels
    if labels:
        lines += ["", "/* The classes: label_index of a linnet_answer. */", "enum {"]
        lines += [f"  {prefix}_{name} = {index}," for index, name in enumerate(constant_names(labels, ("FILE",)))]
        lines += ["};"]
    return "\n".join([*lines, "", f"#endif /* {guard} */", ""])


def _cmake(subject: Subject) -> str:
    return f"""\
# Builds the sample against the liblinnet in this folder.
cmake_minimum_required(VERSION 3.16)
project({subject.name} LANGUAGES C)
find_package(linnet CONFIG REQUIRED PATHS "${{CMAKE_CURRENT_SOURCE_DIR}}/linnet/lib/cmake/linnet" NO_DEFAULT_PATH)
add_executable(sample sample.c)
target_link_libraries(sample PRIVATE linnet::linnet)
"""


def _sample(subject: Subject) -> str:
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), "", subject.embedding_size)
    sample = subject.task.c_sample(values)
    head = _HEAD.format(header=f"{subject.name}.h", file=f"{subject.name.upper()}_FILE")
    return head + (_numbers(values, sample) if sample.numbers else _answers(values, sample))


_HEAD = """\
/* Usage: sample [FOLDER OF THE MODEL] */
#include <stdio.h>

#include "{header}"
#include "linnet.h"

#define TEXT(literal) ((linnet_text){{literal, sizeof(literal) - 1}})

static int failed(linnet_status status) {{
  if (status != LINNET_OK) fprintf(stderr, "%s: %s\\n", linnet_status_name(status), linnet_last_error());
  return status != LINNET_OK;
}}

int main(int argc, char** argv) {{
  char path[4096];
  linnet_model* model = NULL;
  const linnet_task* task = NULL;
  linnet_engine engine;
  snprintf(path, sizeof path, "%s/%s", argc > 1 ? argv[1] : "model", {file});
  if (failed(linnet_model_open(path, NULL, &model)) || failed(linnet_model_task(model, &task)) ||
      failed(linnet_model_engine(model, &engine))) {{
    return 1;
  }}
"""


def _answers(values: SampleValues, sample: CSample) -> str:
    question = f"  const linnet_text question = TEXT({values.question});\n" if sample.with_question else ""
    return f"""\
{question}  const linnet_text text = TEXT({values.text});
  linnet_answers* answers = NULL;
  if (failed({sample.call})) {{
    return 1;
  }}
  for (size_t i = 0; i < linnet_answers_count(answers); ++i) {{
    linnet_answer answer;
    linnet_answers_get(answers, i, &answer);
    printf("%.*s\\t%.*s\\t%.6f\\n", (int)answer.label.size, answer.label.bytes, (int)answer.text.size,
           answer.text.bytes, answer.score);
  }}
  linnet_answers_free(answers);
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
  for (size_t i = 0; i < count; ++i) {{
    printf("%.6f\\n", (double)numbers[i]);
  }}
  linnet_model_free(model);
  return 0;
}}
"""
