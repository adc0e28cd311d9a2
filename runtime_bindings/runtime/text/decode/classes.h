// text-classification and text-ranking: one row of logits for a text or a pair.
#ifndef LINNET_RUNTIME_DECODE_CLASSES_H_
#define LINNET_RUNTIME_DECODE_CLASSES_H_

#include <vector>

#include "decode/answers.h"
#include "decode/task.h"
#include "linnet.h"

namespace linnet {

// As transformers 5's pipeline: best first, equal scores in the labels' order.
Answers decode_classes(const Task& task, const linnet_tensor& logits, const linnet_class_options& options);

// The scores of a pair, as sentence-transformers' CrossEncoder.
std::vector<float> decode_scores(const Task& task, const linnet_tensor& logits);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_CLASSES_H_
