#include "constraint.h"

#include <string_view>
#include <utility>

#include "convert.h"
#include "gil.h"

namespace linnet_python {
namespace {

linnet_constraint_kind kind_of(const std::string& name) {
  constexpr std::string_view kNames[] = {"regex", "json_schema", "choices"};
  for (int kind = LINNET_CONSTRAINT_REGEX; kind <= LINNET_CONSTRAINT_CHOICES; ++kind) {
    if (name == kNames[kind]) {
      return static_cast<linnet_constraint_kind>(kind);
    }
  }
  raise(LINNET_INVALID_ARGUMENT, "kind is \"" + name + "\", expected regex, json_schema or choices");
}

linnet_constraint* created(const linnet_task* task, const std::string& kind,
                           const std::vector<nb::str>& texts) {
  std::vector<linnet_text> views;
  for (const nb::str& text : texts) {
    views.push_back(text_view(text));
  }
  const linnet_constraint_kind number = kind_of(kind);
  linnet_constraint* made = nullptr;
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_constraint_create(task, number, views.data(), views.size(), &made);
  }
  check(status);
  return made;
}

}  // namespace

Constraint::Constraint(std::shared_ptr<const linnet_task> task, linnet_constraint* constraint)
    : task_(std::move(task)), constraint_(constraint, linnet_constraint_free) {}

Constraint::Constraint(std::shared_ptr<const linnet_task> task, const std::string& kind,
                       const std::vector<nb::str>& texts)
    : Constraint(task, created(task.get(), kind, texts)) {}

Constraint Constraint::fork() const {
  linnet_constraint* copy = nullptr;
  check(linnet_constraint_fork(get(), &copy));
  return {task_, copy};
}

void Constraint::reset() { check(linnet_constraint_reset(get())); }

nb::bytes Constraint::allowed(std::size_t size, std::size_t tokens_left) {
  std::vector<std::uint8_t> found(size);
  check(linnet_constraint_allowed(get(), tokens_left, found.data(), found.size()));
  return nb::bytes(static_cast<const void*>(found.data()), found.size());
}

void Constraint::advance(std::int64_t id) { check(linnet_constraint_advance(get(), id)); }

linnet_constraint_progress Constraint::progress() const {
  linnet_constraint_progress found = {};
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_constraint_read_progress(get(), &found);
  }
  check(status);
  return found;
}

bool Constraint::complete() const { return progress().complete != 0; }
bool Constraint::finished() const { return progress().finished != 0; }
std::size_t Constraint::least_tokens() const { return progress().least_tokens; }

void bind_constraint(nb::module_& module) {
  nb::class_<Constraint>(module, "Constraint")
      .def("fork", &Constraint::fork)
      .def("reset", &Constraint::reset)
      .def("allowed", &Constraint::allowed, nb::arg("size"), nb::arg("tokens_left") = 0)
      .def("advance", &Constraint::advance, nb::arg("id"))
      .def_prop_ro("complete", &Constraint::complete)
      .def_prop_ro("finished", &Constraint::finished)
      .def_prop_ro("least_tokens", &Constraint::least_tokens);
}

}  // namespace linnet_python
