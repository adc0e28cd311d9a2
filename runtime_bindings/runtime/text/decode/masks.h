// fill-mask: the most likely tokens in place of each mask, as transformers 5's pipeline.
#ifndef LINNET_RUNTIME_DECODE_MASKS_H_
#define LINNET_RUNTIME_DECODE_MASKS_H_

#include "decode/answers.h"
#include "decode/task.h"
#include "linnet.h"
#include "tokenizer/encoding.h"

namespace linnet {

// `foreign`: the tokens are not of the task's own tokenizer, so the answers have no text.
Answers decode_masks(const Task& task, const Window& window, bool foreign, const linnet_tensor& logits,
                     const linnet_mask_options& options);

// Throws LINNET_INVALID_ARGUMENT if the window has no mask.
void require_mask(const Task& task, const Window& window);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_MASKS_H_
