// One file's task: its manifest in the form that tokenizing and decoding need.
#ifndef LINNET_RUNTIME_DECODE_TASK_H_
#define LINNET_RUNTIME_DECODE_TASK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "file/fields.h"
#include "linnet.h"
#include "tokenizer/tokenizer.h"

namespace linnet {

// Safe to use from several threads.
class Task {
 public:
  // `fields` have passed check_manifest() and outlive the task.
  explicit Task(const Fields& fields);

  const Fields& fields() const noexcept { return fields_; }
  const std::string& name() const noexcept { return name_; }
  const std::vector<std::string>& labels() const noexcept { return labels_; }
  const std::vector<std::string>& inputs() const noexcept { return inputs_; }
  linnet_score_function score_function() const noexcept { return score_function_; }
  std::int64_t unknown_id() const noexcept { return unknown_id_; }
  std::int64_t classification_id() const noexcept { return classification_id_; }
  std::int64_t padding_id() const noexcept { return padding_id_; }
  std::int64_t mask_id() const noexcept { return mask_id_; }
  std::int64_t max_length() const noexcept { return max_length_; }

  // Position of an output in the manifest's list. Throws LINNET_MANIFEST_INVALID if there is none of that
  // name.
  std::size_t output(std::string_view name) const;

  // Whether the kind of tokenizer is built in.
  bool has_tokenizer() const noexcept { return has_tokenizer_; }
  // Built by the first call. Throws LINNET_UNKNOWN_FIELD or LINNET_TOKENIZER_INVALID.
  const std::shared_ptr<const Tokenizer>& tokenizer() const;

  // The text to put before a text: of the name, or (nullptr) of the file's default; "" if there is none.
  // Throws LINNET_INVALID_ARGUMENT for a name that the file does not have.
  std::string prompt(const char* name) const;

 private:
  const Fields& fields_;
  std::string name_;
  std::vector<std::string> labels_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  linnet_score_function score_function_;
  std::int64_t unknown_id_;
  std::int64_t classification_id_;
  std::int64_t padding_id_;
  std::int64_t mask_id_;
  std::int64_t max_length_;
  bool has_tokenizer_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Tokenizer> tokenizer_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_TASK_H_
