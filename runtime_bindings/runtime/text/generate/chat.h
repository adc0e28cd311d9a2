// Chat template of a decoder: from messages to the text of its prompt.
#ifndef LINNET_RUNTIME_GENERATE_CHAT_H_
#define LINNET_RUNTIME_GENERATE_CHAT_H_

#include <string>
#include <string_view>
#include <vector>

#include "file/fields.h"

namespace linnet {

struct ChatMessage {
  std::string_view role;  // system, user or assistant
  std::string_view content;
};

// Return the prompt of a conversation, with `generation` the beginning of the assistant's next turn too. The
// parts of the template are fields of the manifest, `chat_*`. Throw LINNET_UNKNOWN_FIELD if the file has no
// template, LINNET_INVALID_ARGUMENT for a role or an order of roles that it does not have.
std::string render_chat(const Fields& fields, const std::vector<ChatMessage>& messages, bool generation);

}  // namespace linnet

#endif  // LINNET_RUNTIME_GENERATE_CHAT_H_
