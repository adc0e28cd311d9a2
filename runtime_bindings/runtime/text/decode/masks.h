// Decoding of fill-mask: the most likely tokens for each mask, as the pipeline of transformers 5 gives them.
#ifndef LINNET_RUNTIME_DECODE_MASKS_H_
#define LINNET_RUNTIME_DECODE_MASKS_H_

#include "decode/answers.h"
#include "decode/task.h"
#include "linnet.h"
#include "tokenizer/encoding.h"

namespace linnet {

// Return the proposals for each mask of a window, best first, from logits [tokens, ids]. `foreign` means that
// another tokenizer made the tokens: then the answers have no text. Throw LINNET_MANIFEST_INVALID for another
// shape, LINNET_INVALID_ARGUMENT for a top_k below 1, LINNET_INPUT_OUT_OF_RANGE for a target that is no id.
Answers decode_masks(const Task& task, const Window& window, bool foreign, const linnet_tensor& logits,
                     const linnet_mask_options& options);

// Throw LINNET_INVALID_ARGUMENT if the window has no mask.
void require_mask(const Task& task, const Window& window);

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_MASKS_H_
