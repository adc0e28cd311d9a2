// C ABI, generation: arguments are checked, exceptions become a status.
#include <chrono>
#include <memory>
#include <utility>

#include "c_api/model_handle.h"
#include "generate/sampler.h"
#include "linnet.h"
#include "program/generation.h"
#include "stats/stats.h"
#include "status.h"

struct linnet_generation {
  linnet_generation(std::unique_ptr<linnet::Generation> text, const linnet_task& of)
      : value(std::move(text)), task(of) {}

  std::unique_ptr<linnet::Generation> value;
  const linnet_task& task;            // of the model, which outlives the text
  bool is_first = true;               // the next token is the first behind a prompt
  std::chrono::nanoseconds spent{0};  // for the next token, where somebody counts
};

using linnet::c_api::require_array;
using linnet::c_api::require_pointer;

namespace {

// Run a call of a text as guarded() does; where somebody counts, its time belongs to the next token, and
// `count` is told what else there is to count.
template <typename Body, typename Counter>
linnet_status counted(linnet_generation* generation, Body&& body, Counter&& count) noexcept {
  using Clock = std::chrono::steady_clock;
  linnet::Stats* const stats = generation == nullptr ? nullptr : generation->task.counting();
  const Clock::time_point start = stats == nullptr ? Clock::time_point() : Clock::now();
  const linnet_status status = linnet::guarded(std::forward<Body>(body));
  if (stats != nullptr && status != LINNET_OK) {
    stats->error(status);
  } else if (stats != nullptr) {
    generation->spent += Clock::now() - start;
    std::forward<Counter>(count)(*stats);
  }
  return status;
}

// Count a sampled token.
void count_token(linnet_generation& generation, linnet::Stats& stats) noexcept {
  stats.generated(generation.is_first, generation.spent);
  generation.is_first = false;
  generation.spent = std::chrono::nanoseconds(0);
}

}  // namespace

extern "C" linnet_status linnet_generation_create(linnet_model* model, int32_t capacity,
                                                  linnet_generation** generation) {
  return linnet::guarded([&] {
    require_pointer(model, "model");
    require_pointer(generation, "generation");
    auto text = std::make_unique<linnet::Generation>(model->program, capacity);
    *generation = std::make_unique<linnet_generation>(std::move(text), model->task).release();
  });
}

extern "C" void linnet_generation_free(linnet_generation* generation) { delete generation; }

extern "C" linnet_status linnet_generation_append(linnet_generation* generation, const int64_t* ids,
                                                  size_t count) {
  return counted(
      generation,
      [&] {
        require_pointer(generation, "generation");
        require_array(ids, count, "ids");
        generation->value->append(ids, count);
      },
      [&](linnet::Stats& stats) {
        if (generation->is_first && count > 0) {
          stats.prompt(count);
        }
      });
}

extern "C" linnet_status linnet_generation_set_lookup(linnet_generation* generation, size_t tokens) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    generation->value->set_lookup(tokens);
  });
}

extern "C" linnet_status linnet_generation_lookup(const linnet_generation* generation, size_t* guessed,
                                                  size_t* accepted) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    require_pointer(guessed, "guessed");
    require_pointer(accepted, "accepted");
    *guessed = generation->value->guessed();
    *accepted = generation->value->accepted();
  });
}

extern "C" linnet_status linnet_generation_score(linnet_generation* generation, const int64_t* ids,
                                                 size_t count, float* logits) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    require_array(ids, count, "ids");
    require_array(logits, count, "logits");
    generation->value->append(ids, count, logits);
  });
}

namespace {

void sample(linnet_generation* generation, const linnet_sampling* sampling, const linnet::TokenSet* allowed,
            size_t prompt_tokens, int64_t* id, float* log_probability) {
  linnet::check_sampling(*sampling);
  linnet::Generation& text = *generation->value;
  const size_t total = text.tokens().size();
  const size_t generated = total - (prompt_tokens < total ? prompt_tokens : total);
  const float* logits = text.logits();
  *id = linnet::choose_token(logits, text.vocabulary(), text.tokens(), generated, *sampling, allowed);
  if (log_probability != nullptr) {
    *log_probability = linnet::log_probability(logits, text.vocabulary(), *id);
  }
}

}  // namespace

extern "C" linnet_status linnet_generation_sample(linnet_generation* generation,
                                                  const linnet_sampling* sampling, size_t prompt_tokens,
                                                  int64_t* id, float* log_probability) {
  return counted(
      generation,
      [&] {
        require_pointer(generation, "generation");
        require_pointer(sampling, "sampling");
        require_pointer(id, "id");
        sample(generation, sampling, nullptr, prompt_tokens, id, log_probability);
      },
      [&](linnet::Stats& stats) { count_token(*generation, stats); });
}

extern "C" linnet_status linnet_generation_sample_constrained(linnet_generation* generation,
                                                              const linnet_sampling* sampling,
                                                              linnet_constraint* constraint,
                                                              size_t tokens_left, size_t prompt_tokens,
                                                              int64_t* id, float* log_probability) {
  return counted(
      generation,
      [&] {
        require_pointer(generation, "generation");
        require_pointer(sampling, "sampling");
        require_pointer(constraint, "constraint");
        require_pointer(id, "id");
        const auto mask = constraint->value->allowed(constraint->cursor, tokens_left);
        sample(generation, sampling, &mask->tokens, prompt_tokens, id, log_probability);
      },
      [&](linnet::Stats& stats) { count_token(*generation, stats); });
}

extern "C" linnet_status linnet_generation_logits(linnet_generation* generation, const float** logits,
                                                  size_t* count) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    require_pointer(logits, "logits");
    require_pointer(count, "count");
    *logits = generation->value->logits();
    *count = generation->value->vocabulary();
  });
}

extern "C" linnet_status linnet_generation_tokens(const linnet_generation* generation, const int64_t** ids,
                                                  size_t* count) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    require_pointer(ids, "ids");
    require_pointer(count, "count");
    *ids = generation->value->tokens().data();
    *count = generation->value->tokens().size();
  });
}

extern "C" size_t linnet_generation_capacity(const linnet_generation* generation) {
  return generation == nullptr ? 0 : static_cast<size_t>(generation->value->capacity());
}

extern "C" size_t linnet_generation_vocab_size(const linnet_generation* generation) {
  return generation == nullptr ? 0 : generation->value->vocabulary();
}

extern "C" linnet_status linnet_generation_rewind(linnet_generation* generation, size_t length) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    generation->value->rewind(length);
    generation->is_first = true;
    generation->spent = std::chrono::nanoseconds(0);
  });
}

extern "C" linnet_status linnet_generation_remove(linnet_generation* generation, size_t start, size_t count) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    generation->value->remove(start, count);
  });
}

extern "C" linnet_status linnet_generation_fork(const linnet_generation* generation,
                                                linnet_generation** copy) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    require_pointer(copy, "copy");
    *copy = std::make_unique<linnet_generation>(generation->value->fork(), generation->task).release();
  });
}

extern "C" linnet_status linnet_generation_save(const linnet_generation* generation, const char* path) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    require_pointer(path, "path");
    generation->value->save(path);
  });
}

extern "C" linnet_status linnet_generation_load(linnet_model* model, const char* path, int32_t capacity,
                                                linnet_generation** generation) {
  return linnet::guarded([&] {
    require_pointer(model, "model");
    require_pointer(path, "path");
    require_pointer(generation, "generation");
    auto text = linnet::Generation::load(model->program, path, capacity);
    *generation = std::make_unique<linnet_generation>(std::move(text), model->task).release();
  });
}

extern "C" linnet_status linnet_generation_cancel(linnet_generation* generation) {
  return linnet::guarded([&] {
    require_pointer(generation, "generation");
    generation->value->cancel();
  });
}
