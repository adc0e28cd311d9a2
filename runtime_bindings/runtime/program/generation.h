// State of a text that a decoder writes: its tokens, their keys and values, and the logits behind the last
// one.
#ifndef LINNET_RUNTIME_PROGRAM_GENERATION_H_
#define LINNET_RUNTIME_PROGRAM_GENERATION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "memory/block.h"
#include "program/model.h"

namespace linnet {

// Not for several threads at once, except for cancel(). The model is borrowed and must outlive the object.
class Generation {
 public:
  // Make an empty text with room for `capacity` tokens; 0: as many as the file can. Throw
  // LINNET_INVALID_ARGUMENT for a file that is no decoder or a capacity outside of its bound, std::bad_alloc.
  Generation(Model& model, std::int64_t capacity);

  const std::vector<std::int64_t>& tokens() const noexcept { return tokens_; }
  std::int64_t capacity() const noexcept { return capacity_; }
  std::size_t vocabulary() const noexcept { return static_cast<std::size_t>(shape_.vocabulary); }

  // Let each append() of one token run up to `tokens` guessed ones in the same pass, whose results are kept
  // until another token is appended; 0: none. Throw LINNET_INVALID_ARGUMENT if the file gives the logits of
  // fewer, std::bad_alloc.
  void set_lookup(std::size_t tokens);
  // Tokens that were guessed so far, and those of them that were appended.
  std::size_t guessed() const noexcept { return guessed_; }
  std::size_t accepted() const noexcept { return accepted_; }

  // Run tokens behind the others, in chunks. If it fails or is cancelled, the tokens of the chunks that ran
  // stay. Throw LINNET_CONTEXT_FULL if there is no room for all, before any runs; LINNET_CANCELLED; what
  // Model::decode throws. `each` may be null; it gets the logits behind each of the tokens, float32 [count,
  // vocabulary].
  void append(const std::int64_t* ids, std::size_t count, float* each = nullptr);
  // Return the logits behind the last token, float32 [vocabulary], borrowed until the next call. Throw
  // LINNET_INVALID_ARGUMENT for an empty text.
  const float* logits();
  // Forget all tokens from `length` on. Throw LINNET_INVALID_ARGUMENT if there are fewer.
  void rewind(std::size_t length);
  // Forget `count` tokens from number `start` on, and run those behind them again. Throw
  // LINNET_INVALID_ARGUMENT if there are fewer, what append() throws, and then has the tokens that ran.
  void remove(std::size_t start, std::size_t count);
  // Return a copy that goes on alone. Throw std::bad_alloc.
  std::unique_ptr<Generation> fork() const;

  // Stop the append() that runs in another thread, or else the next one, before its next chunk.
  void cancel() noexcept { cancelled_ = true; }

  // Write the tokens and their keys and values to a file, which takes its place when it is complete. Throw
  // LINNET_FILE_UNREADABLE.
  void save(const std::string& path) const;
  // Read what save() wrote, for a text with room for `capacity` tokens. Throw LINNET_STATE_INVALID if
  // the file is damaged or belongs to another model, and what the constructor throws.
  static std::unique_ptr<Generation> load(Model& model, const std::string& path, std::int64_t capacity);

 private:
  std::uint8_t* row(std::size_t layer, std::size_t token) noexcept;
  const std::uint8_t* row(std::size_t layer, std::size_t token) const noexcept;
  void decode(const std::int64_t* ids, std::size_t count, const std::vector<std::int64_t>& rows,
              float* logits);
  void run(const std::int64_t* ids, std::size_t count, float* each);
  bool take_ahead(std::int64_t id);
  void run_ahead(std::int64_t id);
  void stop_if_cancelled(std::size_t done, std::size_t count);

  Model& model_;
  DecoderShape shape_;
  std::int64_t capacity_;
  Block cache_;  // [layers][capacity][row]; pages that no token has reached are never touched
  std::vector<std::int64_t> tokens_;
  std::vector<float> logits_;  // [1 + most guessed tokens][vocabulary]
  std::size_t row_ = 0;        // of logits_: behind the last token
  std::vector<std::int64_t>
      ahead_;  // guessed tokens that ran; the logits behind them are in the rows from row_ + 1
  std::size_t lookup_ = 0;
  std::size_t guessed_ = 0;
  std::size_t accepted_ = 0;
  bool logits_valid_ = false;
  std::atomic<bool> cancelled_{false};
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_GENERATION_H_
