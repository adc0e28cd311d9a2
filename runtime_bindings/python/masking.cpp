#include "masking.h"

#include <nanobind/stl/tuple.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "convert.h"
#include "gil.h"
#include "linnet.h"

namespace linnet_python {
namespace {

// A place that Python found: type, start, end in code points, score, source.
using Given = std::tuple<nb::str, std::int64_t, std::int64_t, double, int>;

constexpr std::size_t kLong = 4096;  // bytes from which a call takes longer than releasing and taking the GIL

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Masked = std::unique_ptr<linnet_masked, Freeing<linnet_masked_free>>;

template <typename Call>
void run(std::size_t size, const Call& call) {
  linnet_status status = LINNET_OK;
  if (size < kLong) {
    status = call();
  } else {
    const Unlocked unlocked;
    status = call();
  }
  check(status);
}

linnet_mask_mode mode_of(const std::string& name) {
  constexpr std::string_view kNames[] = {"type", "pseudonym", "redact", "redact_length"};
  for (int mode = LINNET_MASK_BY_TYPE; mode <= LINNET_MASK_REDACT_LENGTH; ++mode) {
    if (name == kNames[mode]) {
      return static_cast<linnet_mask_mode>(mode);
    }
  }
  raise(LINNET_INVALID_ARGUMENT,
        "mode is \"" + name + "\", expected type, pseudonym, redact or redact_length");
}

std::vector<linnet_mask_given> places_of(const std::vector<Given>& given) {
  std::vector<linnet_mask_given> places;
  for (const auto& [type, start, end, score, source] : given) {
    if (source < LINNET_MASK_PATTERN || source > LINNET_MASK_TAGGER) {
      raise(LINNET_INVALID_ARGUMENT, "source is " + std::to_string(source) + ", expected 0 to 2");
    }
    places.push_back({text_view(type), {start, end}, score, static_cast<linnet_mask_source>(source)});
  }
  return places;
}

nb::list findings_of(const linnet_answers* answers) {
  nb::list list;
  for (std::size_t i = 0; i < linnet_answers_count(answers); ++i) {
    linnet_answer answer = {};
    check(linnet_answers_get(answers, i, &answer));
    list.append(nb::make_tuple(as_str(answer.label), answer.code_points.start, answer.code_points.end,
                               answer.score, answer.index));
  }
  return list;
}

linnet_text text_in(const Masked& masked) {
  linnet_text text = {};
  check(linnet_masked_text(masked.get(), &text));
  return text;
}

class UnmaskStream {
 public:
  explicit UnmaskStream(const linnet_mask_session* session) {
    linnet_unmask_stream* made = nullptr;
    check(linnet_unmask_stream_create(session, &made));
    stream_.reset(made);
  }

  nb::str push(const nb::str& piece) {
    linnet_text text = {};
    check(linnet_unmask_stream_push(stream_.get(), text_view(piece), &text));
    return as_str(text);
  }

  nb::str finish() {
    linnet_text text = {};
    check(linnet_unmask_stream_finish(stream_.get(), &text));
    return as_str(text);
  }

 private:
  std::unique_ptr<linnet_unmask_stream, Freeing<linnet_unmask_stream_free>> stream_;
};

class MaskSession {
 public:
  MaskSession() {
    linnet_mask_session* made = nullptr;
    check(linnet_mask_session_create(&made));
    session_.reset(made);
  }

  static MaskSession load(const nb::bytes& key, const nb::bytes& saved) {
    linnet_mask_session* made = nullptr;
    check(linnet_mask_session_load(key.data(), key.size(), saved.data(), saved.size(), &made));
    return MaskSession(made);
  }

  nb::bytes save(const nb::bytes& key) const {
    linnet_masked* made = nullptr;
    check(linnet_mask_session_save(session_.get(), key.data(), key.size(), &made));
    const Masked saved(made);
    const linnet_text bytes = text_in(saved);
    return nb::bytes(static_cast<const void*>(bytes.bytes), bytes.size);
  }

  nb::str unmask(const nb::str& text) const {
    const linnet_text view = text_view(text);
    linnet_masked* made = nullptr;
    run(view.size, [&] { return linnet_mask_session_unmask(session_.get(), view, &made); });
    const Masked plain(made);
    return as_str(text_in(plain));
  }

  UnmaskStream stream() const { return UnmaskStream(session_.get()); }
  std::size_t size() const { return linnet_mask_session_size(session_.get()); }
  linnet_mask_session* get() const { return session_.get(); }

 private:
  explicit MaskSession(linnet_mask_session* session) : session_(session) {}

  std::unique_ptr<linnet_mask_session, Freeing<linnet_mask_session_free>> session_;
};

class Masker {
 public:
  explicit Masker(const std::vector<nb::str>& types) {
    std::vector<linnet_text> names;
    for (const nb::str& type : types) {
      names.push_back(text_view(type));
    }
    linnet_masker* made = nullptr;
    check(linnet_masker_create(names.data(), names.size(), &made));
    masker_.reset(made);
  }

  nb::list find(const nb::str& text, const std::vector<Given>& given) const {
    const linnet_text view = text_view(text);
    const std::vector<linnet_mask_given> places = places_of(given);
    linnet_answers* made = nullptr;
    run(view.size, [&] {
      return linnet_masker_find(masker_.get(), view, places.data(), places.size(), LINNET_MASK_CODE_POINTS,
                                &made);
    });
    const std::unique_ptr<linnet_answers, Freeing<linnet_answers_free>> answers(made);
    return findings_of(made);
  }

  nb::tuple mask(const nb::str& text, const std::vector<Given>& given, const std::string& mode,
                 const MaskSession* session) const {
    const linnet_text view = text_view(text);
    const std::vector<linnet_mask_given> places = places_of(given);
    const linnet_mask_mode number = mode_of(mode);
    linnet_mask_session* const handle = session == nullptr ? nullptr : session->get();
    linnet_masked* made = nullptr;
    run(view.size, [&] {
      return linnet_masker_mask(masker_.get(), handle, view, places.data(), places.size(),
                                LINNET_MASK_CODE_POINTS, number, &made);
    });
    const Masked masked(made);
    const linnet_answers* answers = nullptr;
    check(linnet_masked_answers(made, &answers));
    return nb::make_tuple(as_str(text_in(masked)), findings_of(answers));
  }

 private:
  std::unique_ptr<linnet_masker, Freeing<linnet_masker_free>> masker_;
};

// Return the table of patterns: type, group, what is checked, whether a word must be near.
nb::list mask_types() {
  nb::list list;
  for (std::size_t i = 0; i < linnet_mask_type_count(); ++i) {
    linnet_mask_type_info info = {};
    check(linnet_mask_type(i, &info));
    list.append(
        nb::make_tuple(as_str(info.type), as_str(info.group), as_str(info.checked_by), info.needs_word != 0));
  }
  return list;
}

}  // namespace

void bind_masking(nb::module_& module) {
  nb::class_<UnmaskStream>(module, "UnmaskStream")
      .def("push", &UnmaskStream::push, nb::arg("piece"))
      .def("finish", &UnmaskStream::finish);
  nb::class_<MaskSession>(module, "MaskSession")
      .def(nb::init<>())
      .def_static("load", &MaskSession::load, nb::arg("key"), nb::arg("saved"))
      .def("save", &MaskSession::save, nb::arg("key"))
      .def("unmask", &MaskSession::unmask, nb::arg("text"))
      .def("stream", &MaskSession::stream)
      .def("__len__", &MaskSession::size);
  nb::class_<Masker>(module, "Masker")
      .def(nb::init<const std::vector<nb::str>&>(), nb::arg("types"))
      .def("find", &Masker::find, nb::arg("text"), nb::arg("given"))
      .def("mask", &Masker::mask, nb::arg("text"), nb::arg("given"), nb::arg("mode"),
           nb::arg("session").none());
  module.def("mask_types", &mask_types);
}

}  // namespace linnet_python
