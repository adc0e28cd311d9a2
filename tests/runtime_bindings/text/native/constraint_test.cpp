// Constraints through linnet.h: texts that threads generate at once from forks of one constraint, each
// complete at its limit, and calls that are refused. The argument is a byte-level tokenizer of kind "tables".
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "linnet.h"

namespace {

constexpr std::size_t kVocabulary = 400;  // more than the tokenizer has
constexpr int kThreads = 4;
constexpr int kTexts = 60;  // of each thread

std::atomic<int> failures{0};

void expect(bool right, const char* what) {
  if (!right) {
    ++failures;
    std::printf("%s: %s\n", what, linnet_last_error());
  }
}

linnet_field text_field(const char* name, const std::string& value) {
  return {name, {LINNET_STRING, 0, 0.0, value.data(), value.size()}};
}
linnet_field int_field(const char* name, std::int64_t value) {
  return {name, {LINNET_INT, value, 0.0, nullptr, 0}};
}

linnet_task* make_task(const std::string& tokenizer) {
  const std::map<std::string, std::string> texts = {
      {"schema_version", "1.1"}, {"task", "text-generation"},
      {"model_type", "llama"},   {"tokenizer_kind", "tables"},
      {"inputs", "input_ids"},   {"outputs", "logits"},
      {"recipe", "fp32"},        {"source", "test"},
      {"producer", "test"},      {"executorch_version", "1.5.1"},
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
  fields.push_back({"tokenizer", {LINNET_BYTES, 0, 0.0, tokenizer.data(), tokenizer.size()}});
  linnet_task* task = nullptr;
  expect(linnet_task_create(fields.data(), fields.size(), &task) == LINNET_OK, "task");
  return task;
}

linnet_constraint* make(const linnet_task* task, linnet_constraint_kind kind, const char* text) {
  const linnet_text view = {text, std::strlen(text)};
  linnet_constraint* constraint = nullptr;
  expect(linnet_constraint_create(task, kind, &view, 1, &constraint) == LINNET_OK, text);
  return constraint;
}

// Generate a text of random tokens; it must be complete when no tokens are left.
void generate(linnet_constraint* constraint, std::mt19937& random) {
  expect(linnet_constraint_reset(constraint) == LINNET_OK, "reset");
  linnet_constraint_progress progress = {};
  expect(linnet_constraint_read_progress(constraint, &progress) == LINNET_OK, "progress");
  std::vector<std::uint8_t> allowed(kVocabulary);
  std::vector<float> logits(kVocabulary);
  std::vector<std::int64_t> ids;
  for (std::size_t left = progress.least_tokens + random() % 30; left > 0 && progress.finished == 0; --left) {
    if (linnet_constraint_allowed(constraint, left, allowed.data(), allowed.size()) != LINNET_OK) {
      return expect(false, "allowed");
    }
    std::generate(logits.begin(), logits.end(), [&] { return static_cast<float>(random() % 1000) / 100.0F; });
    const linnet_sampling sampling = {1.0F, 0, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F, random()};
    std::int64_t id = -1;
    float log_probability = 1.0F;
    expect(linnet_constraint_choose_token(constraint, left, &sampling, logits.data(), kVocabulary, ids.data(),
                                          ids.size(), 0, &id, &log_probability) == LINNET_OK,
           "choose");
    if (id < 0 || allowed[static_cast<std::size_t>(id)] == 0 || log_probability >= 0.0F) {
      return expect(false, "a token that is not allowed");
    }
    ids.push_back(id);
    if (linnet_constraint_advance(constraint, id) != LINNET_OK ||
        linnet_constraint_read_progress(constraint, &progress) != LINNET_OK) {
      return expect(false, "advance");
    }
  }
  expect(progress.complete == 1 && progress.least_tokens == 0, "a text is not complete");
}

void test_threads(const linnet_task* task) {
  constexpr const char* kSchema =
      R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"number"}}},)"
      R"("required":["b"]})";
  linnet_constraint* const shared[] = {make(task, LINNET_CONSTRAINT_JSON_SCHEMA, kSchema),
                                       make(task, LINNET_CONSTRAINT_REGEX, ".*x.{9}")};
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      std::mt19937 random(static_cast<unsigned>(number));
      for (linnet_constraint* constraint : shared) {
        linnet_constraint* fork = nullptr;
        expect(linnet_constraint_fork(constraint, &fork) == LINNET_OK, "fork");
        for (int text = 0; text < kTexts; ++text) {
          generate(fork, random);
        }
        linnet_constraint_free(fork);
      }
      linnet_constraint* const own = make(task, LINNET_CONSTRAINT_REGEX, "(?:a?){40}[^\\s]+");
      generate(own, random);
      linnet_constraint_free(own);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (linnet_constraint* constraint : shared) {
    linnet_constraint_free(constraint);
  }
}

void test_refusals(const linnet_task* task) {
  const linnet_text texts[] = {{"a", 1}, {"b", 1}};
  linnet_constraint* constraint = nullptr;
  expect(linnet_constraint_create(task, LINNET_CONSTRAINT_REGEX, texts, 2, &constraint) ==
             LINNET_INVALID_ARGUMENT,
         "two expressions");
  expect(linnet_constraint_create(task, LINNET_CONSTRAINT_CHOICES, texts, 0, &constraint) ==
             LINNET_INVALID_ARGUMENT,
         "no choices");
  for (const char* text : {"(", "a{60000}{2}", "(.{300}){300}", "\xFF"}) {
    const linnet_text view = {text, std::strlen(text)};
    expect(linnet_constraint_create(task, LINNET_CONSTRAINT_REGEX, &view, 1, &constraint) ==
               LINNET_INVALID_ARGUMENT,
           text);
  }
  const std::string deep(200000, '(');
  const linnet_text view = {deep.data(), deep.size()};
  for (const linnet_constraint_kind kind : {LINNET_CONSTRAINT_REGEX, LINNET_CONSTRAINT_JSON_SCHEMA}) {
    expect(linnet_constraint_create(task, kind, &view, 1, &constraint) == LINNET_INVALID_ARGUMENT, "deep");
  }
  std::string nested = std::string(16000, '(') + "a" + std::string(16000, ')');
  const linnet_text groups = {nested.data(), nested.size()};
  expect(linnet_constraint_create(task, LINNET_CONSTRAINT_REGEX, &groups, 1, &constraint) == LINNET_OK,
         "groups");
  linnet_constraint_free(constraint);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  linnet_task* const task =
      make_task(std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
  test_threads(task);
  test_refusals(task);
  linnet_task_free(task);
  std::printf("%d failed\n", failures.load());
  return failures > 0 ? 1 : 0;
}
