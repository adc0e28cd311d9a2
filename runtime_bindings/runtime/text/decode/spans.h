// question-answering: the span of a context that answers a question, as transformers 4's pipeline.
//
// transformers 5 has no such pipeline any more; the rules are those of 4.57
// (pipelines/question_answering.py).
#ifndef LINNET_RUNTIME_DECODE_SPANS_H_
#define LINNET_RUNTIME_DECODE_SPANS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "decode/answers.h"
#include "decode/task.h"
#include "decode/window.h"
#include "linnet.h"

namespace linnet {

// What the program gave for one window of a question and its context.
struct SpanLogits {
  WindowView window;
  const linnet_tensor* start;
  const linnet_tensor* end;
};

Answers decode_spans(const Task& task, const std::vector<SpanLogits>& windows,
                     const linnet_question_options& options);

// How a question is cut into windows. Throws LINNET_INVALID_ARGUMENT for options that contradict the file.
struct WindowSize {
  std::int32_t max_length;
  std::int32_t stride;
};
WindowSize window_size(const Task& task, const linnet_question_options& options);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_SPANS_H_
