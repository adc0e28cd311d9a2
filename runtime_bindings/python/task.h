// Python class Task: manifest and decoding, from outputs to answers.
#ifndef LINNET_PYTHON_TASK_H_
#define LINNET_PYTHON_TASK_H_

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "constraint.h"
#include "encoding.h"
#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

// Borrowed from a model, which the pointer keeps alive, or made from the values of a manifest.
class Task {
 public:
  explicit Task(std::shared_ptr<const linnet_task> task);
  explicit Task(const nb::dict& manifest);

  // Decode outputs to lists of ClassScore, Entity, Span and Proposal, in the order of linnet.h.
  nb::list classes(const Floats& logits, std::int32_t top_k, const std::string& score_function) const;
  nb::list entities(const nb::str& text, const Encoding& encoding, const std::vector<Floats>& outputs,
                    const std::string& aggregation, const std::vector<nb::str>& ignored) const;
  nb::list spans(const nb::str& context, const std::vector<Encoding>& windows,
                 const std::vector<std::vector<Floats>>& outputs, std::int32_t top_k,
                 std::int32_t max_answer_length, bool allow_empty, bool align_to_words) const;
  nb::list masks(const Encoding& encoding, const std::vector<Floats>& outputs, std::int32_t top_k,
                 const std::optional<std::vector<std::int64_t>>& targets) const;
  nb::object scores(const Floats& logits) const;

  // Return the recommended sampling by the names of linnet.h, without the seed.
  nb::dict sampling() const;
  // Return the prompt of a conversation: pairs of role and content.
  nb::str chat_prompt(const std::vector<std::pair<nb::str, nb::str>>& messages, bool generation) const;
  bool is_end(std::int64_t id) const;
  Constraint constraint(const std::string& kind, const std::vector<nb::str>& texts) const;

 private:
  std::shared_ptr<const linnet_task> task_;
};

void bind_task(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_TASK_H_
