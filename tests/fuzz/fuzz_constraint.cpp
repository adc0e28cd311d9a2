// Regular expressions, JSON schemas and choices: the first byte chooses the kind and the tokenizer, the
// second one how many tokens are left; the rest is the constraint, choices between zero bytes. A text that it
// allows is then generated: no state may be a dead end, and the tokens that are left must suffice. Run it
// from the root of the repository.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "linnet.h"
#include "manifest.h"

namespace {

constexpr std::size_t kVocabulary = 400;  // more than the tokenizers have

linnet_task* make_task(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::map<std::string, std::string> texts = {
      {"schema_version", "1.1"}, {"task", "text-generation"},
      {"model_type", "llama"},   {"tokenizer_kind", "tables"},
      {"inputs", "input_ids"},   {"outputs", "logits"},
      {"recipe", "fp32"},        {"source", "fuzz"},
      {"producer", "fuzz"},      {"executorch_version", "1.5.1"},
      {"end_ids", "1"}};
  std::vector<linnet_field> fields = {int_field("vocab_size", kVocabulary), int_field("max_length", 64),
                                      int_field("cache_layers", 1),         int_field("cache_row_bytes", 1),
                                      int_field("chunk_length", 1),         int_field("logit_rows", 1)};
  for (const char* special : {"pad_id", "unk_id", "cls_id", "sep_id", "mask_id"}) {
    fields.push_back(int_field(special, -1));
  }
  for (const auto& [name, value] : texts) {
    fields.push_back(text_field(name.c_str(), value));
  }
  fields.push_back({"tokenizer", {LINNET_BYTES, 0, 0.0, bytes.data(), bytes.size()}});
  linnet_task* task = nullptr;
  if (linnet_task_create(fields.data(), fields.size(), &task) != LINNET_OK) {
    __builtin_trap();  // the manifest above is right
  }
  return task;
}

std::vector<linnet_text> texts_of(const char* text, std::size_t size, bool choices) {
  std::vector<linnet_text> texts;
  const char* const end = text + size;
  for (const char* begin = text; choices && begin < end;) {
    const char* const behind = std::find(begin, end, '\0');
    texts.push_back({begin, static_cast<std::size_t>(behind - begin)});
    begin = behind + (behind < end ? 1 : 0);
  }
  return choices ? texts : std::vector<linnet_text>{{text, size}};
}

// Take the tokens that the numbers choose among the allowed ones, until the text is finished or none are
// left.
void generate(linnet_constraint* constraint, const std::uint8_t* numbers, std::size_t size,
              std::size_t more) {
  linnet_constraint_progress progress = {};
  (void)linnet_constraint_read_progress(constraint, &progress);
  std::size_t left = std::min(progress.least_tokens, std::size_t{200}) + more;
  std::vector<std::uint8_t> allowed(kVocabulary);
  for (std::size_t step = 0; left > 0 && progress.finished == 0; ++step, --left) {
    const linnet_status status = linnet_constraint_allowed(constraint, left, allowed.data(), allowed.size());
    if (status != LINNET_OK) {
      if (left >= progress.least_tokens && status != LINNET_INVALID_ARGUMENT) {
        __builtin_trap();
      }
      return;  // too many tokens for this target, or the constraint became too ambiguous
    }
    std::vector<std::int64_t> ids;
    for (std::size_t id = 0; id < allowed.size(); ++id) {
      if (allowed[id] != 0) {
        ids.push_back(static_cast<std::int64_t>(id));
      }
    }
    if (ids.empty()) {
      __builtin_trap();  // a dead end
    }
    const std::size_t number = size == 0 ? 0 : numbers[step % size] * 31U + step;
    if (linnet_constraint_advance(constraint, ids[number % ids.size()]) != LINNET_OK ||
        linnet_constraint_read_progress(constraint, &progress) != LINNET_OK) {
      if (std::strstr(linnet_last_error(), "may not come next") != nullptr) {
        __builtin_trap();  // but it was allowed
      }
      return;  // the constraint became too ambiguous
    }
  }
  if (progress.complete == 0 && left == 0) {
    __builtin_trap();  // the tokens did not suffice
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static linnet_task* const tasks[] = {make_task("tests/fuzz/corpus/tokenizer/02"),
                                       make_task("tests/fuzz/corpus/tokenizer/03")};
  if (size < 2) {
    return 0;
  }
  const auto kind = static_cast<linnet_constraint_kind>(data[0] % 3);
  const std::vector<linnet_text> texts =
      texts_of(reinterpret_cast<const char*>(data + 2), size - 2, kind == LINNET_CONSTRAINT_CHOICES);
  linnet_constraint* constraint = nullptr;
  if (linnet_constraint_create(tasks[data[0] / 3 % 2], kind, texts.data(), texts.size(), &constraint) ==
      LINNET_OK) {
    generate(constraint, data, size, data[1] % 40);
    linnet_constraint_free(constraint);
  }
  return 0;
}
