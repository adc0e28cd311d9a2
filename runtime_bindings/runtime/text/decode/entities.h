// token-classification: labelled tokens or entity groups, as transformers 5's pipeline.
#ifndef LINNET_RUNTIME_DECODE_ENTITIES_H_
#define LINNET_RUNTIME_DECODE_ENTITIES_H_

#include "decode/answers.h"
#include "decode/task.h"
#include "decode/window.h"
#include "linnet.h"

namespace linnet {

Answers decode_entities(const Task& task, const WindowView& window, const linnet_tensor& logits,
                        const linnet_entity_options& options);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_ENTITIES_H_
