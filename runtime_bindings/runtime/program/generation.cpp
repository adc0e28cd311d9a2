#include "program/generation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
#include <utility>

#include "file/bytes.h"
#include "file/file_bytes.h"
#include "file/sha256.h"
#include "generate/lookup.h"
#include "status.h"

namespace linnet {
namespace {

// File of a saved state, little-endian: the magic bytes, the SHA-256 that identifies the program, int64
// layers, row bytes and number of tokens, the tokens as int64, for each layer the rows of all tokens, SHA-256
// of all before.
constexpr char kMagic[8] = {'L', 'N', 'T', 'S', 'T', 'A', 'T', '1'};
constexpr std::size_t kHash = std::tuple_size<Sha256::Digest>::value;
constexpr std::size_t kHead = sizeof kMagic + kHash + 3 * sizeof(std::int64_t);

std::int64_t checked_capacity(const DecoderShape& shape, std::int64_t capacity) {
  if (capacity < 0 || capacity > shape.context) {
    throw Error(LINNET_INVALID_ARGUMENT, "the capacity is " + std::to_string(capacity) +
                                             " tokens, expected 1 to " + std::to_string(shape.context) +
                                             ", or 0 for the most; export the model with a larger --context");
  }
  return capacity == 0 ? shape.context : capacity;
}

std::size_t cache_bytes(const DecoderShape& shape, std::int64_t capacity) {
  return static_cast<std::size_t>(shape.layers) * static_cast<std::size_t>(capacity) *
         static_cast<std::size_t>(shape.row_bytes);
}

[[noreturn]] void refuse_state(const std::string& path, const std::string& problem) {
  throw Error(LINNET_STATE_INVALID, path + ": " + problem + "; make it again with this model");
}

// Return 0 to count - 1.
std::vector<std::int64_t> first_places(std::size_t count) {
  std::vector<std::int64_t> places(count);
  std::iota(places.begin(), places.end(), 0);
  return places;
}

// Return a random name in the folder of a file.
std::string name_beside(const std::string& path) {
  std::random_device random;
  char digits[2 * 8 + 1];
  static_cast<void>(std::snprintf(digits, sizeof digits, "%08x%08x", random(), random()));
  return path.substr(0, path.rfind('/') + 1) + ".linnet-state." + digits;
}

// File that is being written beside the one that it will replace; removed unless it is complete. Its name is
// random and must not exist, so a link that somebody put there is not followed.
class Replacement {
 public:
  explicit Replacement(std::string path) : path_(std::move(path)), partial_(name_beside(path_)) {
    const int descriptor = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    file_ = descriptor < 0 ? nullptr : ::fdopen(descriptor, "wb");
    if (file_ == nullptr) {
      if (descriptor >= 0) {
        static_cast<void>(::close(descriptor));
        static_cast<void>(std::remove(partial_.c_str()));
      }
      fail();
    }
  }
  ~Replacement() {
    if (file_ != nullptr) {
      static_cast<void>(std::fclose(file_));
      static_cast<void>(std::remove(partial_.c_str()));
    }
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(const void* data, std::size_t size) {
    hash_.update({static_cast<const std::uint8_t*>(data), size});
    put(data, size);
  }
  void finish() {
    const Sha256::Digest digest = hash_.finish();
    put(digest.data(), digest.size());
    std::FILE* const file = std::exchange(file_, nullptr);
    if (std::fclose(file) != 0 || std::rename(partial_.c_str(), path_.c_str()) != 0) {
      static_cast<void>(std::remove(partial_.c_str()));
      fail();
    }
  }

 private:
  void put(const void* data, std::size_t size) {
    if (std::fwrite(data, 1, size, file_) != size) {
      fail();
    }
  }
  [[noreturn]] void fail() const {
    throw Error(LINNET_FILE_UNREADABLE,
                path_ + ": cannot be written; choose a folder with room and permission");
  }

  std::string path_;
  std::string partial_;
  std::FILE* file_ = nullptr;
  Sha256 hash_;
};

}  // namespace

Generation::Generation(Model& model, std::int64_t capacity)
    : model_(model),
      shape_(model.decoder_shape()),
      capacity_(checked_capacity(shape_, capacity)),
      cache_(cache_bytes(shape_, capacity_)),
      logits_(static_cast<std::size_t>(shape_.vocabulary)) {}

std::uint8_t* Generation::row(std::size_t layer, std::size_t token) noexcept {
  return cache_.get() +
         (layer * static_cast<std::size_t>(capacity_) + token) * static_cast<std::size_t>(shape_.row_bytes);
}

const std::uint8_t* Generation::row(std::size_t layer, std::size_t token) const noexcept {
  return cache_.get() +
         (layer * static_cast<std::size_t>(capacity_) + token) * static_cast<std::size_t>(shape_.row_bytes);
}

void Generation::set_lookup(std::size_t tokens) {
  const std::size_t most = static_cast<std::size_t>(std::max<std::int64_t>(shape_.rows, 1)) - 1;
  if (tokens > most) {
    throw Error(LINNET_INVALID_ARGUMENT, "expected a lookup of 0 to " + std::to_string(most) +
                                             " tokens, whose logits the file gives in one pass, got " +
                                             std::to_string(tokens));
  }
  std::vector<float> logits((1 + tokens) * vocabulary());
  if (logits_valid_) {
    std::copy_n(logits_.data() + row_ * vocabulary(), vocabulary(), logits.data());
  }
  logits_ = std::move(logits);
  ahead_.clear();
  row_ = 0;
  lookup_ = tokens;
}

// Run tokens behind those of the text, without adding them to it. `rows`: those whose logits are wanted.
void Generation::decode(const std::int64_t* ids, std::size_t count, const std::vector<std::int64_t>& rows,
                        float* logits) {
  logits_valid_ = false;
  ahead_.clear();
  row_ = 0;
  model_.decode({ids, count, static_cast<std::int64_t>(tokens_.size()), rows.data(), rows.size(),
                 cache_.get(), capacity_},
                logits);
}

void Generation::run(const std::int64_t* ids, std::size_t count, float* each) {
  if (each == nullptr) {
    decode(ids, count, {static_cast<std::int64_t>(count) - 1}, logits_.data());
  } else {
    decode(ids, count, first_places(count), each);
    std::copy_n(each + (count - 1) * vocabulary(), vocabulary(), logits_.begin());
  }
  tokens_.insert(tokens_.end(), ids, ids + count);
  logits_valid_ = true;
}

// Take the result of a guessed token, if it is the one that was guessed.
bool Generation::take_ahead(std::int64_t id) {
  if (ahead_.empty() || ahead_.front() != id) {
    return false;
  }
  tokens_.push_back(id);
  ahead_.erase(ahead_.begin());
  ++row_;
  ++accepted_;
  return true;
}

// Run a token, and a guess of those that follow it in the same pass.
void Generation::run_ahead(std::int64_t id) {
  std::vector<std::int64_t> longer = tokens_;
  longer.push_back(id);
  const std::size_t room = static_cast<std::size_t>(capacity_) - longer.size();
  std::vector<std::int64_t> guess = guess_tokens(longer, std::min(lookup_, room));
  std::vector<std::int64_t> ids(1, id);
  ids.insert(ids.end(), guess.begin(), guess.end());
  decode(ids.data(), ids.size(), first_places(ids.size()), logits_.data());
  guessed_ += guess.size();
  ahead_ = std::move(guess);
  tokens_.push_back(id);
  logits_valid_ = true;
}

void Generation::stop_if_cancelled(std::size_t done, std::size_t count) {
  if (cancelled_.exchange(false)) {
    throw Error(LINNET_CANCELLED,
                "cancelled after " + std::to_string(done) + " of " + std::to_string(count) + " tokens");
  }
}

void Generation::append(const std::int64_t* ids, std::size_t count, float* each) {
  const std::size_t room = static_cast<std::size_t>(capacity_) - tokens_.size();
  if (count > room) {
    throw Error(LINNET_CONTEXT_FULL, std::to_string(count) + " tokens behind " +
                                         std::to_string(tokens_.size()) + " do not fit in a context of " +
                                         std::to_string(capacity_) +
                                         "; rewind, or open the text with a larger capacity");
  }
  tokens_.reserve(tokens_.size() + count);
  if (count == 1 && each == nullptr && lookup_ > 0) {
    stop_if_cancelled(0, 1);
    if (!take_ahead(ids[0])) {
      run_ahead(ids[0]);
    }
    return;
  }
  for (std::size_t start = 0; start < count;) {
    stop_if_cancelled(start, count);
    const std::int64_t most = each == nullptr ? shape_.chunk : std::min(shape_.chunk, shape_.rows);
    const std::size_t chunk = std::min(count - start, static_cast<std::size_t>(most));
    run(ids + start, chunk, each == nullptr ? nullptr : each + start * vocabulary());
    start += chunk;
  }
}

const float* Generation::logits() {
  if (tokens_.empty()) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "the text is empty, expected at least one token; append the prompt first");
  }
  if (!logits_valid_) {  // after a rewind: the last token runs again
    const std::int64_t last = tokens_.back();
    tokens_.pop_back();
    try {
      run(&last, 1, nullptr);
    } catch (...) {
      tokens_.push_back(last);  // there is room: it was there before
      throw;
    }
  }
  return logits_.data() + row_ * vocabulary();
}

void Generation::rewind(std::size_t length) {
  if (length > tokens_.size()) {
    throw Error(LINNET_INVALID_ARGUMENT, "cannot rewind to " + std::to_string(length) +
                                             " tokens, there are " + std::to_string(tokens_.size()));
  }
  if (length < tokens_.size()) {
    tokens_.resize(length);
    ahead_.clear();
    logits_valid_ = false;
  }
}

void Generation::remove(std::size_t start, std::size_t count) {
  const std::size_t total = tokens_.size();
  if (start > total || count > total - start) {
    throw Error(LINNET_INVALID_ARGUMENT, "cannot remove " + std::to_string(count) + " tokens from number " +
                                             std::to_string(start) + " on, there are " +
                                             std::to_string(total));
  }
  if (count == 0) {
    return;
  }
  const std::vector<std::int64_t> behind(tokens_.begin() + static_cast<std::ptrdiff_t>(start + count),
                                         tokens_.end());
  rewind(start);
  append(behind.data(), behind.size());
}

std::unique_ptr<Generation> Generation::fork() const {
  auto copy = std::make_unique<Generation>(model_, capacity_);
  const std::size_t size = tokens_.size() * static_cast<std::size_t>(shape_.row_bytes);
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(shape_.layers); ++layer) {
    std::memcpy(copy->row(layer, 0), row(layer, 0), size);
  }
  copy->tokens_ = tokens_;
  std::copy_n(logits_.data() + row_ * vocabulary(), vocabulary(), copy->logits_.data());
  copy->logits_valid_ = logits_valid_;
  return copy;
}

void Generation::save(const std::string& path) const {
  const std::size_t count = tokens_.size();
  const std::int64_t numbers[] = {shape_.layers, shape_.row_bytes, static_cast<std::int64_t>(count)};
  Replacement file(path);
  file.write(kMagic, sizeof kMagic);
  file.write(model_.identity().data(), kHash);
  file.write(numbers, sizeof numbers);
  file.write(tokens_.data(), count * sizeof(std::int64_t));
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(shape_.layers); ++layer) {
    file.write(row(layer, 0), count * static_cast<std::size_t>(shape_.row_bytes));
  }
  file.finish();
}

std::unique_ptr<Generation> Generation::load(Model& model, const std::string& path, std::int64_t capacity) {
  auto text = std::make_unique<Generation>(model, capacity);
  const std::unique_ptr<FileBytes> file = FileBytes::map(path);
  const ByteView bytes = file->view();
  if (bytes.size() < kHead + kHash || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    refuse_state(path, "not a saved text of linnet");
  }
  const std::uint8_t* at = bytes.data() + sizeof kMagic;
  if (std::memcmp(at, model.identity().data(), kHash) != 0) {
    refuse_state(path, "it was saved with another model");
  }
  std::int64_t numbers[3];
  std::memcpy(numbers, at + kHash, sizeof numbers);
  const DecoderShape& shape = text->shape_;
  const std::int64_t count = numbers[2];
  if (numbers[0] != shape.layers || numbers[1] != shape.row_bytes || count < 0 || count > shape.context) {
    refuse_state(path, "its numbers are not those of the model");
  }
  const std::size_t row_size = static_cast<std::size_t>(count) * static_cast<std::size_t>(shape.row_bytes);
  const std::size_t ids = static_cast<std::size_t>(count) * sizeof(std::int64_t);
  const std::size_t size = kHead + ids + static_cast<std::size_t>(shape.layers) * row_size;
  if (bytes.size() != size + kHash) {
    refuse_state(path, "it is cut off");
  }
  Sha256 hash;
  hash.update(bytes.part(0, size));
  const Sha256::Digest digest = hash.finish();
  if (std::memcmp(digest.data(), bytes.data() + size, kHash) != 0) {
    refuse_state(path, "it is damaged");
  }
  if (count > text->capacity_) {
    throw Error(LINNET_CONTEXT_FULL, path + " has " + std::to_string(count) + " tokens, the capacity is " +
                                         std::to_string(text->capacity_) + "; open it with a larger one");
  }
  text->tokens_.resize(static_cast<std::size_t>(count));
  std::memcpy(text->tokens_.data(), bytes.data() + kHead, ids);
  for (const std::int64_t id : text->tokens_) {
    if (id < 0 || id >= shape.vocabulary) {
      refuse_state(path, "it has tokens that the model does not have");
    }
  }
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(shape.layers); ++layer) {
    std::memcpy(text->row(layer, 0), bytes.data() + kHead + ids + layer * row_size, row_size);
  }
  return text;
}

}  // namespace linnet
