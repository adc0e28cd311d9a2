#include "model.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.h"
#include "convert.h"
#include "encoding.h"
#include "generation.h"
#include "gil.h"
#include "linnet.h"
#include "task.h"
#include "tokenizer.h"

namespace linnet_python {

namespace {

// Return the lines of a text as a list of str.
nb::list lines(std::string_view text) {
  nb::list list;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    list.append(decoded(text.substr(start, end - start)));
    start = end + 1;
  }
  return list;
}

// The fields of linnet_event.
struct Event {
  nb::str name;
  int kind;
  std::int32_t run;
  std::int32_t instruction;
  std::int64_t start_ns;
  std::int64_t end_ns;
};

struct ProfileDeleter {
  void operator()(linnet_profile* profile) const noexcept { linnet_profile_free(profile); }
};

class Model {
 public:
  Model(nb::handle source, std::int32_t threads) {
    const linnet_open_options options = {threads};
    linnet_model* opened = nullptr;
    if (nb::isinstance<nb::bytes>(source)) {
      check(open_bytes(nb::cast<nb::bytes>(source), options, &opened));
    } else {
      check(open_path(source, options, &opened));
    }
    model_ = std::shared_ptr<linnet_model>(opened, linnet_model_free);
  }

  nb::dict manifest() const {
    const auto model = get();
    nb::dict fields;
    for (const nb::handle name : lines(linnet_model_fields(model.get()))) {
      fields[name] = field(model.get(), nb::cast<std::string>(name).c_str());
    }
    return fields;
  }

  nb::str evidence() const {
    const auto model = get();
    const char* json = nullptr;
    std::size_t size = 0;
    check(linnet_model_evidence(model.get(), &json, &size));
    PyObject* text = PyUnicode_DecodeUTF8(json, static_cast<Py_ssize_t>(size), "strict");
    if (text == nullptr) {
      PyErr_Clear();
      raise(LINNET_TRAILER_DAMAGED, "the evidence is not UTF-8; export the file again");
    }
    return nb::steal<nb::str>(text);
  }

  Tokenizer tokenizer() const {
    const auto model = get();
    const linnet_tokenizer* tokenizer = nullptr;
    check(linnet_model_tokenizer(model.get(), &tokenizer));
    return Tokenizer(std::shared_ptr<const linnet_tokenizer>(model, tokenizer));
  }

  Task task() const {
    const auto model = get();
    const linnet_task* task = nullptr;
    check(linnet_model_task(model.get(), &task));
    return Task(std::shared_ptr<const linnet_task>(model, task));
  }

  nb::list methods() const {
    const auto model = get();
    return lines(linnet_model_methods(model.get()));
  }

  nb::list run(const std::string& method, const nb::sequence& values) const {
    const auto model = get();
    if (method.find('\0') != std::string::npos) {
      raise(LINNET_UNKNOWN_METHOD, "no method has a zero byte in its name");
    }
    Inputs inputs;
    for (const nb::handle value : values) {
      add_input(inputs, value);
    }
    return output_arrays(run_tensors(model.get(), method.c_str(), inputs.tensors));
  }

  // Run "forward" on one window, with the inputs that `names` lists.
  nb::list run_encoding(const Encoding& encoding, const std::vector<std::string>& names) const {
    const auto model = get();
    std::vector<linnet_tensor> tensors;
    for (const std::string& name : names) {
      tensors.push_back(encoding.input(name));
    }
    return output_buffers(run_tensors(model.get(), "forward", tensors));
  }

  // Make an empty text of at most `capacity` tokens, or the one in a file.
  Generation generation(std::int32_t capacity, nb::handle path) const {
    return Generation::create(get(), capacity, path);
  }

  // Choose custom kernels always (True), never (False) or where they are faster (None).
  void set_fused(std::optional<bool> fused) const {
    const linnet_fused when = !fused   ? LINNET_FUSED_WHERE_FASTER
                              : *fused ? LINNET_FUSED_ALWAYS
                                       : LINNET_FUSED_NEVER;
    check_waiting([=](linnet_model* model) { return linnet_model_set_fused(model, when); });
  }

  // Choose the bits of rounded activations: 7, 8 or what is faster and proven (0).
  void set_activation_bits(std::int32_t bits) const {
    check_waiting([=](linnet_model* model) { return linnet_model_set_activation_bits(model, bits); });
  }

  std::int32_t activation_bits() const {
    std::int32_t bits = 0;
    check_waiting([&bits](linnet_model* model) { return linnet_model_activation_bits(model, &bits); });
    return bits;
  }

  void set_profiling(bool on) const {
    check_waiting([=](linnet_model* model) { return linnet_model_set_profiling(model, on ? 1 : 0); });
  }

  nb::list profile() const {
    const auto model = get();
    linnet_profile* raw = nullptr;
    check(linnet_model_profile(model.get(), &raw));
    const std::unique_ptr<linnet_profile, ProfileDeleter> profile(raw);
    nb::list events;
    for (std::size_t i = 0; i < linnet_profile_count(raw); ++i) {
      linnet_event event = {};
      check(linnet_profile_event(raw, i, &event));
      events.append(nb::cast(Event{decoded(event.name), static_cast<int>(event.kind), event.run,
                                   event.instruction, event.start_ns, event.end_ns}));
    }
    return events;
  }

  // Drop the model. A run that is under way keeps its own reference, so the memory is freed when it ends.
  void close() { model_.reset(); }

 private:
  // Call `function` with the model and without the interpreter's lock, since it may wait for a run; raise
  // what its status says.
  template <typename Function>
  void check_waiting(const Function& function) const {
    const auto model = get();
    linnet_status status = LINNET_OK;
    {
      const Unlocked unlocked;
      status = function(model.get());
    }
    check(status);
  }

  static linnet_status open_bytes(const nb::bytes& bytes, const linnet_open_options& options,
                                  linnet_model** model) {
    const Unlocked unlocked;
    return linnet_model_open_bytes(bytes.data(), bytes.size(), &options, model);
  }

  static linnet_status open_path(nb::handle source, const linnet_open_options& options,
                                 linnet_model** model) {
    const nb::bytes path = path_bytes(source, "source is neither a path nor bytes");
    const Unlocked unlocked;
    return linnet_model_open(path.c_str(), &options, model);
  }

  static Outputs run_tensors(linnet_model* model, const char* method,
                             const std::vector<linnet_tensor>& inputs) {
    linnet_outputs* raw = nullptr;
    linnet_status status = LINNET_OK;
    {
      const Unlocked unlocked;
      status = linnet_model_run(model, method, inputs.data(), inputs.size(), &raw);
    }
    Outputs outputs(raw);
    check(status);
    return outputs;
  }

  static nb::object field(const linnet_model* model, const char* name) {
    linnet_value value = {};
    check(linnet_model_value(model, name, &value));
    switch (value.type) {
      case LINNET_INT:
        return nb::int_(value.integer);
      case LINNET_FLOAT:
        return nb::float_(value.real);
      case LINNET_BOOL:
        return nb::bool_(value.integer != 0);
      case LINNET_STRING:
        return decoded({value.bytes, value.size});
      case LINNET_BYTES:
        return nb::bytes(value.bytes, value.size);
    }
    raise(LINNET_INTERNAL, "a field has an unknown type");
  }

  std::shared_ptr<linnet_model> get() const {
    if (model_ == nullptr) {
      raise(LINNET_INVALID_ARGUMENT, "the model is closed; load it again", 0);
    }
    return model_;
  }

  std::shared_ptr<linnet_model> model_;
};

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<Event>(module, "Event")
      .def_ro("name", &Event::name)
      .def_ro("kind", &Event::kind)
      .def_ro("run", &Event::run)
      .def_ro("instruction", &Event::instruction)
      .def_ro("start_ns", &Event::start_ns)
      .def_ro("end_ns", &Event::end_ns);
  nb::class_<Model>(module, "Model")
      .def(nb::init<nb::handle, std::int32_t>(), nb::arg("source"), nb::arg("threads") = 0)
      .def_prop_ro("manifest", &Model::manifest)
      .def_prop_ro("evidence", &Model::evidence)
      .def_prop_ro("tokenizer", &Model::tokenizer)
      .def_prop_ro("task", &Model::task)
      .def_prop_ro("methods", &Model::methods)
      .def("run", &Model::run, nb::arg("method"), nb::arg("inputs"))
      .def("run_encoding", &Model::run_encoding, nb::arg("encoding"), nb::arg("names"))
      .def("generation", &Model::generation, nb::arg("capacity") = 0, nb::arg("path").none() = nb::none())
      .def("set_fused", &Model::set_fused, nb::arg("fused").none())
      .def("set_activation_bits", &Model::set_activation_bits, nb::arg("bits"))
      .def("activation_bits", &Model::activation_bits)
      .def("set_profiling", &Model::set_profiling, nb::arg("on"))
      .def("profile", &Model::profile)
      .def("close", &Model::close);
}

}  // namespace linnet_python
