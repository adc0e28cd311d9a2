// Python class Generation: a text that a decoder writes.
#ifndef LINNET_PYTHON_GENERATION_H_
#define LINNET_PYTHON_GENERATION_H_

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "constraint.h"
#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

class Generation {
 public:
  // Take over a text; the pointer keeps its model alive.
  Generation(std::shared_ptr<linnet_model> model, linnet_generation* generation);
  // Make an empty text, or one from a file, with room for `capacity` tokens.
  static Generation create(std::shared_ptr<linnet_model> model, std::int32_t capacity, nb::handle path);

  void append(const std::vector<std::int64_t>& ids);
  // Append tokens and return the logits behind each, float32 [tokens, vocabulary].
  nb::object score(const std::vector<std::int64_t>& ids);
  // Return (id, log_probability) of the next token, one that a constraint allows if there is one. The log
  // probability is NaN unless it is asked for.
  nb::tuple sample(double temperature, std::int32_t top_k, double top_p, double min_p,
                   double repetition_penalty, double presence_penalty, double frequency_penalty,
                   std::uint64_t seed, std::size_t prompt_tokens, const Constraint* constraint,
                   std::size_t tokens_left, bool log_probability);
  nb::object logits();
  std::vector<std::int64_t> tokens() const;
  std::size_t capacity() const;
  void rewind(std::size_t length);
  void remove(std::size_t start, std::size_t count);
  Generation fork() const;
  void save(nb::handle path) const;
  void set_lookup(std::size_t tokens);
  nb::tuple lookup() const;
  void cancel();

 private:
  std::shared_ptr<linnet_model> model_;
  std::shared_ptr<linnet_generation> generation_;
};

void bind_generation(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_GENERATION_H_
