// Decoding of text-classification and text-ranking: one row of logits for a text or a pair.
#ifndef LINNET_RUNTIME_DECODE_CLASSES_H_
#define LINNET_RUNTIME_DECODE_CLASSES_H_

#include <vector>

#include "decode/answers.h"
#include "decode/task.h"
#include "linnet.h"

namespace linnet {

// Return the classes of logits [labels] or [1, labels] as the pipeline of transformers 5 does: best first,
// equal scores in the order of the labels. Throw LINNET_MANIFEST_INVALID for another shape,
// LINNET_INVALID_ARGUMENT for a negative top_k.
Answers decode_classes(const Task& task, const linnet_tensor& logits, const linnet_class_options& options);

// Return the scores of a pair as the CrossEncoder of sentence-transformers does, with the file's own score
// function.
std::vector<float> decode_scores(const Task& task, const linnet_tensor& logits);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_CLASSES_H_
