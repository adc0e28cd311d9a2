#include "generate/chat.h"

#include "status.h"

namespace linnet {
namespace {

constexpr std::string_view kSpaces = " \t\n\r\v\f";

// Return the content without spaces at its ends, as the field `chat_trim` says: "", "right" or "both".
std::string_view trimmed(std::string_view text, std::string_view how) {
  if (how.empty()) {
    return text;
  }
  const std::size_t last = text.find_last_not_of(kSpaces);
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  if (how == "both") {
    const std::size_t first = text.find_first_not_of(kSpaces);
    text.remove_prefix(first == std::string_view::npos ? text.size() : first);
  }
  return text;
}

[[noreturn]] void refuse(const std::string& problem) { throw Error(LINNET_INVALID_ARGUMENT, problem); }

void check_role(const Fields& fields, const std::vector<ChatMessage>& messages, std::size_t index) {
  const std::string_view role = messages[index].role;
  const std::string where =
      "message " + std::to_string(index) + " has the role \"" + std::string(role) + "\"";
  if (role == "system") {
    if (!fields.integer("chat_has_system")) {
      refuse(where +
             ", which the model's chat template does not have; put it into the first message of the user");
    }
    if (index > 0) {
      refuse(where + ", expected it first only");
    }
  } else if (role != "user" && role != "assistant") {
    refuse(where + ", expected system, user or assistant");
  }
}

}  // namespace

std::string render_chat(const Fields& fields, const std::vector<ChatMessage>& messages, bool generation) {
  if (fields.text("chat_user_start").empty() && fields.text("chat_user_end").empty()) {
    throw Error(LINNET_UNKNOWN_FIELD,
                "the file has no chat template that linnet knows; pass the whole prompt as a text");
  }
  if (messages.empty()) {
    refuse("a conversation without messages, expected at least one");
  }
  const std::string trim = fields.text("chat_trim");
  const bool has_system = messages[0].role == "system";
  std::string text = fields.text(has_system ? "chat_head_system" : "chat_head");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    check_role(fields, messages, i);
    const std::string_view content = trimmed(messages[i].content, trim);
    if (messages[i].role == "system") {
      text += std::string(content) + fields.text("chat_system_end");
    } else {
      const std::string part = "chat_" + std::string(messages[i].role);
      text += fields.text(part + "_start") + std::string(content) + fields.text(part + "_end");
    }
  }
  return generation ? text + fields.text("chat_generation") : text;
}

}  // namespace linnet
