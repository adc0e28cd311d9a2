// Task of a file: its manifest in the form that tokenizing and decoding need.
#ifndef LINNET_RUNTIME_DECODE_TASK_H_
#define LINNET_RUNTIME_DECODE_TASK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "constrain/token_trie.h"
#include "file/fields.h"
#include "linnet.h"
#include "tokenizer/tokenizer.h"

namespace linnet {

// Safe to use from several threads.
class Task {
 public:
  // Read the fields, which have passed check_manifest() and must outlive the task.
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
  // Tokens that end an answer.
  const std::vector<std::int64_t>& end_ids() const noexcept { return end_ids_; }
  // Whether a second text is an error although the task takes one.
  bool refuses_pairs() const noexcept { return refuses_pairs_; }

  // Return the position of an output in the manifest's list. Throw LINNET_MANIFEST_INVALID if there is none
  // of this name.
  std::size_t output(std::string_view name) const;

  // Tell whether the tokenizer is of a kind that is built in.
  bool has_tokenizer() const noexcept { return has_tokenizer_; }
  // Return the tokenizer, which the first call builds. Throw LINNET_UNKNOWN_FIELD if its kind is not built
  // in, LINNET_TOKENIZER_INVALID if its bytes are damaged.
  const std::shared_ptr<const Tokenizer>& tokenizer() const;

  // Return what the tokens add to a generated text, which the first call finds out. Throw what tokenizer()
  // does, LINNET_INVALID_ARGUMENT if it depends on the tokens beside them.
  std::shared_ptr<const constrain::StreamVocabulary> stream_vocabulary() const;

  // Return the prompt that goes before a text: the one of this name, or (nullptr) the file's default; "" if
  // there is no default. Throw LINNET_INVALID_ARGUMENT for a name that the file does not have.
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
  std::vector<std::int64_t> end_ids_;
  bool refuses_pairs_;
  bool has_tokenizer_;
  mutable std::mutex mutex_;  // around tokenizer_: the first calls of several threads build it once
  mutable std::shared_ptr<const Tokenizer> tokenizer_;
  mutable std::mutex vocabulary_mutex_;  // around vocabulary_
  mutable std::shared_ptr<const constrain::StreamVocabulary> vocabulary_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_TASK_H_
