// C ABI, constraints: which tokens may come next.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "c_api/handles.h"
#include "constrain/constraint.h"
#include "constrain/expression.h"
#include "constrain/json_schema.h"
#include "generate/sampler.h"
#include "linnet.h"
#include "status.h"

using linnet::c_api::require_array;
using linnet::c_api::require_enum;
using linnet::c_api::require_pointer;
using linnet::c_api::view_of;

namespace {

linnet::constrain::Node root_of(linnet::constrain::Expressions& expressions, linnet_constraint_kind kind,
                                const std::vector<std::string_view>& texts) {
  if (kind == LINNET_CONSTRAINT_CHOICES) {
    return linnet::constrain::choices_root(expressions, texts);
  }
  if (texts.size() != 1) {
    linnet::constrain::refuse("found " + std::to_string(texts.size()) +
                              " texts, expected one expression or schema");
  }
  return kind == LINNET_CONSTRAINT_REGEX ? linnet::constrain::regex_root(expressions, texts[0])
                                         : linnet::constrain::read_json_schema(expressions, texts[0]);
}

}  // namespace

extern "C" linnet_status linnet_constraint_create(const linnet_task* task, linnet_constraint_kind kind,
                                                  const linnet_text* texts, size_t count,
                                                  linnet_constraint** constraint) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_enum(kind, LINNET_CONSTRAINT_CHOICES, "kind");
    require_pointer(constraint, "constraint");
    require_array(texts, count, "texts");
    std::vector<std::string_view> views;
    std::transform(texts, texts + count, std::back_inserter(views),
                   [](const linnet_text& text) { return view_of(text, "texts"); });
    linnet::constrain::Expressions expressions;
    const linnet::constrain::Node root = root_of(expressions, kind, views);
    auto made = std::make_unique<linnet_constraint>();
    made->value = std::make_shared<linnet::constrain::Constraint>(
        expressions, root, task->value.stream_vocabulary(), task->value.end_ids());
    made->cursor = made->value->start();
    *constraint = made.release();
  });
}

extern "C" void linnet_constraint_free(linnet_constraint* constraint) { delete constraint; }

extern "C" linnet_status linnet_constraint_fork(const linnet_constraint* constraint,
                                                linnet_constraint** copy) {
  return linnet::guarded([&] {
    require_pointer(constraint, "constraint");
    require_pointer(copy, "copy");
    *copy = std::make_unique<linnet_constraint>(*constraint).release();
  });
}

extern "C" linnet_status linnet_constraint_reset(linnet_constraint* constraint) {
  return linnet::guarded([&] {
    require_pointer(constraint, "constraint");
    constraint->cursor = constraint->value->start();
  });
}

extern "C" linnet_status linnet_constraint_allowed(linnet_constraint* constraint, size_t tokens_left,
                                                   uint8_t* allowed, size_t capacity) {
  return linnet::guarded([&] {
    require_pointer(constraint, "constraint");
    require_array(allowed, capacity, "allowed");
    const auto mask = constraint->value->allowed(constraint->cursor, tokens_left);
    const size_t ids = std::min(capacity, 64 * mask->tokens.size());
    for (size_t id = 0; id < ids; ++id) {
      allowed[id] = static_cast<uint8_t>(mask->tokens[id / 64] >> (id % 64) & 1U);
    }
    std::fill(allowed + ids, allowed + capacity, static_cast<uint8_t>(0));
  });
}

extern "C" linnet_status linnet_constraint_advance(linnet_constraint* constraint, int64_t id) {
  return linnet::guarded([&] {
    require_pointer(constraint, "constraint");
    constraint->value->advance(constraint->cursor, id);
  });
}

extern "C" linnet_status linnet_constraint_choose_token(linnet_constraint* constraint, size_t tokens_left,
                                                        const linnet_sampling* sampling, const float* logits,
                                                        size_t vocab_size, const int64_t* ids, size_t count,
                                                        size_t prompt_tokens, int64_t* id,
                                                        float* log_probability) {
  return linnet::guarded([&] {
    require_pointer(constraint, "constraint");
    require_pointer(sampling, "sampling");
    require_pointer(logits, "logits");
    require_array(logits, vocab_size, "logits");
    require_array(ids, count, "ids");
    require_pointer(id, "id");
    linnet::check_sampling(*sampling);
    const auto mask = constraint->value->allowed(constraint->cursor, tokens_left);
    const std::vector<int64_t> history(ids, ids + count);
    const size_t generated = count - std::min(prompt_tokens, count);
    *id = linnet::choose_token(logits, vocab_size, history, generated, *sampling, &mask->tokens);
    if (log_probability != nullptr) {
      *log_probability = linnet::log_probability(logits, vocab_size, *id);
    }
  });
}

extern "C" linnet_status linnet_constraint_read_progress(linnet_constraint* constraint,
                                                         linnet_constraint_progress* progress) {
  return linnet::guarded([&] {
    require_pointer(constraint, "constraint");
    require_pointer(progress, "progress");
    const linnet::constrain::Progress found = constraint->value->progress(constraint->cursor);
    *progress = {found.is_complete ? 1 : 0, found.is_finished ? 1 : 0, found.least};
  });
}
