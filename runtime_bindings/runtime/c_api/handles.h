// Handles of linnet.h: what the opaque types hold, and checks of arguments.
#ifndef LINNET_RUNTIME_C_API_HANDLES_H_
#define LINNET_RUNTIME_C_API_HANDLES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "constrain/constraint.h"
#include "decode/answers.h"
#include "decode/output.h"
#include "decode/task.h"
#include "decode/window.h"
#include "file/fields.h"
#include "linnet.h"
#include "stats/stats.h"
#include "status.h"
#include "tokenizer/text_stream.h"
#include "tokenizer/tokenizer.h"

struct linnet_tokenizer {
  explicit linnet_tokenizer(std::shared_ptr<const linnet::Tokenizer> tokenizer)
      : value(std::move(tokenizer)) {}
  std::shared_ptr<const linnet::Tokenizer> value;
};

struct linnet_text_stream {
  linnet_text_stream(const linnet::Tokenizer& tokenizer, bool skip_special)
      : value(tokenizer, skip_special) {}
  linnet::TextStream value;
};

struct linnet_encoding {
  std::vector<linnet::Window> windows;
  std::unique_ptr<const linnet::ForeignTokens> foreign;  // NULL for encodings of linnet's own tokenizer
};

struct linnet_outputs {
  std::vector<linnet::Output> tensors;
};

struct linnet_answers {
  linnet::Answers answers;
  bool truncated = false;
};

struct linnet_task {
  // Make the task of a model, whose fields are borrowed.
  explicit linnet_task(const linnet::Fields& fields) : value(fields) {}
  // Make a task that owns its fields.
  explicit linnet_task(std::unique_ptr<const linnet::Fields> fields)
      : owned(std::move(fields)), value(*owned) {}
  linnet_task(const linnet_task&) = delete;
  linnet_task& operator=(const linnet_task&) = delete;
  ~linnet_task() = default;

  std::unique_ptr<const linnet::Fields> owned;
  linnet::Task value;
  // What counts now, or NULL.
  linnet::Stats* counting() const noexcept { return counting_stats.load(std::memory_order_acquire); }

  mutable std::mutex mutex;                             // around tokenizer
  mutable std::unique_ptr<linnet_tokenizer> tokenizer;  // built when first asked for
  mutable std::mutex stats_mutex;                       // around stats, except for its counts
  mutable std::unique_ptr<linnet::Stats> stats;         // made by linnet_stats_start
  mutable std::atomic<linnet::Stats*> counting_stats{nullptr};
};

struct linnet_constraint {
  std::shared_ptr<linnet::constrain::Constraint> value;
  linnet::constrain::Cursor cursor;
};

namespace linnet::c_api {

// Throw LINNET_INVALID_ARGUMENT for NULL; `name` is the argument's name in the message.
template <typename T>
void require_pointer(T* pointer, const char* name) {
  if (pointer == nullptr) {
    throw Error(LINNET_INVALID_ARGUMENT, std::string(name) + " is NULL; pass an address");
  }
}

// Throw LINNET_INVALID_ARGUMENT for a value that an enum of linnet.h does not have. It is read as a number: a
// C caller may have stored any value there, and reading it as an enum would be undefined.
template <typename Enum>
void require_enum(const Enum& value, Enum last, const char* name) {
  std::underlying_type_t<Enum> number = 0;
  std::memcpy(&number, &value, sizeof number);
  if (number > static_cast<std::underlying_type_t<Enum>>(last)) {
    throw Error(LINNET_INVALID_ARGUMENT, std::string(name) + " is " + std::to_string(number) +
                                             ", expected 0 to " + std::to_string(static_cast<int>(last)));
  }
}

// An array may be NULL if it is empty. A count that no memory can hold is refused before anything is read.
template <typename T>
void require_array(const T* array, std::size_t count, const char* name) {
  if (count == 0) {
    return;
  }
  require_pointer(array, name);
  if (count > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) {
    throw Error(LINNET_INVALID_ARGUMENT,
                std::string(name) + " has " + std::to_string(count) + " entries, more than memory holds");
  }
}

// A text may be NULL if it is empty.
inline std::string_view view_of(const void* bytes, std::size_t size, const char* name) {
  if (size == 0) {
    return {};
  }
  require_array(static_cast<const char*>(bytes), size, name);
  return {static_cast<const char*>(bytes), size};
}

inline std::string_view view_of(const linnet_text& text, const char* name) {
  return view_of(text.bytes, text.size, name);
}

inline linnet_text text_of(std::string_view text) { return {text.data(), text.size()}; }

inline linnet_answers* new_answers(Answers answers, bool truncated = false) {
  return new linnet_answers{std::move(answers), truncated};
}

}  // namespace linnet::c_api

#endif  // LINNET_RUNTIME_C_API_HANDLES_H_
