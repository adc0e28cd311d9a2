// Python class Constraint: which tokens of a generated text may come next.
#ifndef LINNET_PYTHON_CONSTRAINT_H_
#define LINNET_PYTHON_CONSTRAINT_H_

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "linnet.h"

namespace linnet_python {

namespace nb = nanobind;

class Constraint {
 public:
  // Make the constraint of a kind ("regex", "json_schema" or "choices"); the pointer keeps the task alive.
  Constraint(std::shared_ptr<const linnet_task> task, const std::string& kind,
             const std::vector<nb::str>& texts);

  Constraint fork() const;
  void reset();
  // Return 0 or 1 for each of the first `size` ids.
  nb::bytes allowed(std::size_t size, std::size_t tokens_left);
  void advance(std::int64_t id);
  bool complete() const;
  bool finished() const;
  std::size_t least_tokens() const;

  linnet_constraint* get() const noexcept { return constraint_.get(); }

 private:
  Constraint(std::shared_ptr<const linnet_task> task, linnet_constraint* constraint);
  linnet_constraint_progress progress() const;

  std::shared_ptr<const linnet_task> task_;
  std::shared_ptr<linnet_constraint> constraint_;
};

void bind_constraint(nb::module_& module);

}  // namespace linnet_python

#endif  // LINNET_PYTHON_CONSTRAINT_H_
