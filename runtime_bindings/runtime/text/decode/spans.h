// Decoding of question-answering: the spans of a context that answer a question, as the pipeline of
// transformers 4 finds them.
//
// transformers 5 no longer has this pipeline; the rules are those of 4.57 (pipelines/question_answering.py).
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

// The program's outputs for one window of a question and its context: float32 [tokens] each, borrowed.
struct SpanLogits {
  WindowView window;
  const linnet_tensor* start;
  const linnet_tensor* end;
};

// Return the best answers over all windows, best first. Throw LINNET_MANIFEST_INVALID for outputs of another
// shape, LINNET_INVALID_ARGUMENT for a top_k or max_answer_length below 1.
Answers decode_spans(const Task& task, const std::vector<SpanLogits>& windows,
                     const linnet_question_options& options);

// How a context is cut into windows; both numbers are tokens.
struct WindowSize {
  std::int32_t max_length;
  std::int32_t stride;
};
// Return the size of windows that the options and the file give together. Throw LINNET_INVALID_ARGUMENT for
// options that contradict the file.
WindowSize window_size(const Task& task, const linnet_question_options& options);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_SPANS_H_
