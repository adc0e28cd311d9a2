// C ABI, chat: prompts of conversations, sampling, tokens that end an answer.
#include <algorithm>
#include <string>
#include <vector>

#include "c_api/handles.h"
#include "generate/chat.h"
#include "generate/sampler.h"
#include "linnet.h"
#include "status.h"

using linnet::c_api::require_array;
using linnet::c_api::require_pointer;
using linnet::c_api::view_of;

extern "C" linnet_status linnet_task_sampling(const linnet_task* task, linnet_sampling* sampling) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(sampling, "sampling");
    const linnet::Fields& fields = task->value.fields();
    if (fields.text("task") != "text-generation") {
      throw linnet::Error(LINNET_INVALID_ARGUMENT,
                          "the task is " + fields.text("task") + ", which generates no text");
    }
    const auto setting = [&](const char* name, double absent) {
      return static_cast<float>(fields.real(name, absent));
    };
    *sampling = {setting("temperature", 0.0),
                 static_cast<std::int32_t>(fields.integer("top_k")),
                 setting("top_p", 1.0),
                 setting("min_p", 0.0),
                 setting("repetition_penalty", 1.0),
                 0.0F,
                 0.0F,
                 0};
  });
}

extern "C" linnet_status linnet_choose_token(const linnet_sampling* sampling, const float* logits,
                                             size_t vocab_size, const int64_t* ids, size_t count,
                                             size_t prompt_tokens, int64_t* id, float* log_probability) {
  return linnet::guarded([&] {
    require_pointer(sampling, "sampling");
    require_pointer(logits, "logits");
    require_array(logits, vocab_size, "logits");
    require_array(ids, count, "ids");
    require_pointer(id, "id");
    linnet::check_sampling(*sampling);
    const std::vector<int64_t> history(ids, ids + count);
    const size_t generated = count - std::min(prompt_tokens, count);
    *id = linnet::choose_token(logits, vocab_size, history, generated, *sampling);
    if (log_probability != nullptr) {
      *log_probability = linnet::log_probability(logits, vocab_size, *id);
    }
  });
}

extern "C" linnet_status linnet_task_chat_prompt(const linnet_task* task, const linnet_message* messages,
                                                 size_t count, int32_t generation, char* text,
                                                 size_t capacity, size_t* size) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(size, "size");
    require_array(messages, count, "messages");
    require_array(text, capacity, "text");
    std::vector<linnet::ChatMessage> conversation;
    conversation.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      conversation.push_back({view_of(messages[i].role, "role"), view_of(messages[i].content, "content")});
    }
    const std::string prompt = linnet::render_chat(task->value.fields(), conversation, generation != 0);
    std::copy_n(prompt.data(), std::min(capacity, prompt.size()), text);
    *size = prompt.size();
  });
}

extern "C" int32_t linnet_task_is_end(const linnet_task* task, int64_t id) {
  int32_t is_end = 0;
  static_cast<void>(linnet::guarded([&] {
    require_pointer(task, "task");
    const std::vector<int64_t>& ids = task->value.end_ids();
    is_end = std::find(ids.begin(), ids.end(), id) != ids.end() ? 1 : 0;
  }));
  return is_end;
}
