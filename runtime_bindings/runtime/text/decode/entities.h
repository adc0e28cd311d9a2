// Decoding of token-classification: labelled tokens or entity groups, as the pipeline of transformers 5 gives
// them.
#ifndef LINNET_RUNTIME_DECODE_ENTITIES_H_
#define LINNET_RUNTIME_DECODE_ENTITIES_H_

#include "decode/answers.h"
#include "decode/task.h"
#include "decode/window.h"
#include "linnet.h"

namespace linnet {

// Return the entities of logits [tokens, labels] in the order of the text, without the ignored labels. Throw
// LINNET_MANIFEST_INVALID for another shape.
Answers decode_entities(const Task& task, const WindowView& window, const linnet_tensor& logits,
                        const linnet_entity_options& options);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_ENTITIES_H_
