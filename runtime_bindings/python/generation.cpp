#include "generation.h"

#include <nanobind/stl/vector.h>

#include <limits>
#include <utility>

#include "arrays.h"
#include "convert.h"
#include "gil.h"

namespace linnet_python {

Generation::Generation(std::shared_ptr<linnet_model> model, linnet_generation* generation)
    : model_(std::move(model)), generation_(generation, linnet_generation_free) {}

Generation Generation::create(std::shared_ptr<linnet_model> model, std::int32_t capacity, nb::handle path) {
  linnet_generation* created = nullptr;
  linnet_status status = LINNET_OK;
  if (path.is_none()) {
    const Unlocked unlocked;
    status = linnet_generation_create(model.get(), capacity, &created);
  } else {
    const nb::bytes bytes = path_bytes(path, "path is not a path");
    const Unlocked unlocked;
    status = linnet_generation_load(model.get(), bytes.c_str(), capacity, &created);
  }
  check(status);
  return {std::move(model), created};
}

void Generation::append(const std::vector<std::int64_t>& ids) {
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_generation_append(generation_.get(), ids.data(), ids.size());
  }
  check(status);
}

nb::object Generation::score(const std::vector<std::int64_t>& ids) {
  const std::size_t vocabulary = linnet_generation_vocab_size(generation_.get());
  std::vector<float> logits(ids.size() * vocabulary);
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_generation_score(generation_.get(), ids.data(), ids.size(), logits.data());
  }
  check(status);
  return fresh_array(logits.data(), {ids.size(), vocabulary});
}

nb::tuple Generation::sample(double temperature, std::int32_t top_k, double top_p, double min_p,
                             double repetition_penalty, double presence_penalty, double frequency_penalty,
                             std::uint64_t seed, std::size_t prompt_tokens, const Constraint* constraint,
                             std::size_t tokens_left, bool log_probability) {
  const linnet_sampling sampling = {static_cast<float>(temperature),
                                    top_k,
                                    static_cast<float>(top_p),
                                    static_cast<float>(min_p),
                                    static_cast<float>(repetition_penalty),
                                    static_cast<float>(presence_penalty),
                                    static_cast<float>(frequency_penalty),
                                    seed};
  std::int64_t id = 0;
  float found = std::numeric_limits<float>::quiet_NaN();
  float* const wanted = log_probability ? &found : nullptr;
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = constraint == nullptr
                 ? linnet_generation_sample(generation_.get(), &sampling, prompt_tokens, &id, wanted)
                 : linnet_generation_sample_constrained(generation_.get(), &sampling, constraint->get(),
                                                        tokens_left, prompt_tokens, &id, wanted);
  }
  check(status);
  return nb::make_tuple(id, found);
}

nb::object Generation::logits() {
  const float* values = nullptr;
  std::size_t count = 0;
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_generation_logits(generation_.get(), &values, &count);
  }
  check(status);
  return fresh_array(values, {count});
}

std::vector<std::int64_t> Generation::tokens() const {
  const std::int64_t* ids = nullptr;
  std::size_t count = 0;
  check(linnet_generation_tokens(generation_.get(), &ids, &count));
  return {ids, ids + count};
}

std::size_t Generation::capacity() const { return linnet_generation_capacity(generation_.get()); }

void Generation::rewind(std::size_t length) { check(linnet_generation_rewind(generation_.get(), length)); }

void Generation::remove(std::size_t start, std::size_t count) {
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_generation_remove(generation_.get(), start, count);
  }
  check(status);
}

Generation Generation::fork() const {
  linnet_generation* copy = nullptr;
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_generation_fork(generation_.get(), &copy);
  }
  check(status);
  return {model_, copy};
}

void Generation::save(nb::handle path) const {
  const nb::bytes bytes = path_bytes(path, "path is not a path");
  linnet_status status = LINNET_OK;
  {
    const Unlocked unlocked;
    status = linnet_generation_save(generation_.get(), bytes.c_str());
  }
  check(status);
}

void Generation::set_lookup(std::size_t tokens) {
  check(linnet_generation_set_lookup(generation_.get(), tokens));
}

nb::tuple Generation::lookup() const {
  std::size_t guessed = 0;
  std::size_t accepted = 0;
  check(linnet_generation_lookup(generation_.get(), &guessed, &accepted));
  return nb::make_tuple(guessed, accepted);
}

void Generation::cancel() { check(linnet_generation_cancel(generation_.get())); }

void bind_generation(nb::module_& module) {
  nb::class_<Generation>(module, "Generation")
      .def("append", &Generation::append, nb::arg("ids"))
      .def("score", &Generation::score, nb::arg("ids"))
      .def("sample", &Generation::sample, nb::kw_only(), nb::arg("temperature") = 0.0, nb::arg("top_k") = 0,
           nb::arg("top_p") = 1.0, nb::arg("min_p") = 0.0, nb::arg("repetition_penalty") = 1.0,
           nb::arg("presence_penalty") = 0.0, nb::arg("frequency_penalty") = 0.0, nb::arg("seed") = 0,
           nb::arg("prompt_tokens") = 0, nb::arg("constraint") = nb::none(), nb::arg("tokens_left") = 0,
           nb::arg("log_probability") = true)
      .def("logits", &Generation::logits)
      .def_prop_ro("tokens", &Generation::tokens)
      .def_prop_ro("capacity", &Generation::capacity)
      .def("rewind", &Generation::rewind, nb::arg("length"))
      .def("remove", &Generation::remove, nb::arg("start"), nb::arg("count"))
      .def("fork", &Generation::fork)
      .def("save", &Generation::save, nb::arg("path"))
      .def("set_lookup", &Generation::set_lookup, nb::arg("tokens"))
      .def_prop_ro("lookup", &Generation::lookup)
      .def("cancel", &Generation::cancel);
}

}  // namespace linnet_python
