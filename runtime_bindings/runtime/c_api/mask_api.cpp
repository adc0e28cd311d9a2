// C ABI, masking: personal data found, replaced and restored.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "c_api/handles.h"
#include "linnet.h"
#include "mask/find.h"
#include "mask/folded.h"
#include "mask/pattern.h"
#include "mask/session.h"
#include "status.h"
#include "tokenizer/unicode.h"

struct linnet_masker {
  explicit linnet_masker(const std::vector<std::string_view>& names) : finder(names) {}
  linnet::mask::Finder finder;
};

struct linnet_mask_session {
  std::shared_ptr<linnet::mask::Session> value = std::make_shared<linnet::mask::Session>();
};

struct linnet_masked {
  std::string text;
  linnet_answers answers;
};

struct linnet_unmask_stream {
  explicit linnet_unmask_stream(const std::shared_ptr<linnet::mask::Session>& session) : value(session) {}
  linnet::mask::UnmaskStream value;
  std::string text;
};

using linnet::c_api::require_array;
using linnet::c_api::require_enum;
using linnet::c_api::require_pointer;
using linnet::c_api::text_of;
using linnet::c_api::view_of;

namespace {

// Read a given place; its type is borrowed.
linnet::mask::Candidate candidate_of(const linnet_mask_given& given, const linnet::mask::Units& units,
                                     std::size_t order) {
  require_enum(given.source, LINNET_MASK_TAGGER, "given.source");
  linnet::mask::Candidate candidate;
  candidate.type = view_of(given.type, "given.type");
  linnet::mask::require_type_name(candidate.type);
  candidate.start = units.code_point(given.place.start);
  candidate.end = units.code_point(given.place.end);
  candidate.source = given.source;
  candidate.score = given.score;
  candidate.order = order;
  if (candidate.start >= candidate.end || std::isnan(given.score)) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT,
                        "a given place is empty, or its score is no number; expected start < end");
  }
  return candidate;
}

linnet::Answers found_in(const linnet_masker& masker, std::string_view text, const linnet_mask_given* given,
                         std::size_t count, linnet_mask_unit unit) {
  require_enum(unit, LINNET_MASK_UTF16, "unit");
  require_array(given, count, "given");
  const linnet::mask::Folded folded(text);
  std::vector<linnet::mask::Candidate> found = masker.finder.find(folded);
  if (count > 0) {
    const linnet::mask::Units units(text, unit);
    for (std::size_t i = 0; i < count; ++i) {
      found.push_back(candidate_of(given[i], units, i));
    }
  }
  return linnet::mask::answers_of(linnet::mask::merge(found, folded), text);
}

linnet_masked* new_masked(std::string text) {
  return std::make_unique<linnet_masked>(linnet_masked{std::move(text), {}}).release();
}

}  // namespace

extern "C" size_t linnet_mask_type_count(void) {
  size_t count = 0;
  static_cast<void>(linnet::guarded([&] { count = linnet::mask::patterns().size(); }));
  return count;
}

extern "C" linnet_status linnet_mask_type(size_t index, linnet_mask_type_info* info) {
  return linnet::guarded([&] {
    require_pointer(info, "info");
    const std::vector<linnet::mask::Pattern>& table = linnet::mask::patterns();
    if (index >= table.size()) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "index is " + std::to_string(index) + ", there are " +
                                                       std::to_string(table.size()) + " patterns");
    }
    const linnet::mask::Pattern& pattern = table[index];
    *info = {text_of(pattern.type), text_of(pattern.group), text_of(pattern.checked_by),
             pattern.words.empty() ? 0 : 1};
  });
}

extern "C" linnet_status linnet_masker_create(const linnet_text* types, size_t count,
                                              linnet_masker** masker) {
  return linnet::guarded([&] {
    require_array(types, count, "types");
    require_pointer(masker, "masker");
    std::vector<std::string_view> names;
    names.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      names.push_back(view_of(types[i], "types"));
    }
    *masker = std::make_unique<linnet_masker>(names).release();
  });
}

extern "C" void linnet_masker_free(linnet_masker* masker) { delete masker; }

extern "C" linnet_status linnet_masker_find(const linnet_masker* masker, linnet_text text,
                                            const linnet_mask_given* given, size_t count,
                                            linnet_mask_unit unit, linnet_answers** answers) {
  return linnet::guarded([&] {
    require_pointer(masker, "masker");
    require_pointer(answers, "answers");
    *answers = linnet::c_api::new_answers(found_in(*masker, view_of(text, "text"), given, count, unit));
  });
}

extern "C" linnet_status linnet_masker_mask(const linnet_masker* masker, linnet_mask_session* session,
                                            linnet_text text, const linnet_mask_given* given, size_t count,
                                            linnet_mask_unit unit, linnet_mask_mode mode,
                                            linnet_masked** masked) {
  return linnet::guarded([&] {
    require_pointer(masker, "masker");
    require_pointer(masked, "masked");
    require_enum(mode, LINNET_MASK_REDACT_LENGTH, "mode");
    if (mode == LINNET_MASK_PSEUDONYM) {
      require_pointer(session, "session");
    }
    const std::string_view view = view_of(text, "text");
    auto made = std::make_unique<linnet_masked>();
    made->answers.answers = found_in(*masker, view, given, count, unit);
    made->text = mode == LINNET_MASK_PSEUDONYM ? session->value->mask(view, made->answers.answers)
                                               : linnet::mask::replace(view, made->answers.answers, mode);
    *masked = made.release();
  });
}

extern "C" linnet_status linnet_masked_text(const linnet_masked* masked, linnet_text* text) {
  return linnet::guarded([&] {
    require_pointer(masked, "masked");
    require_pointer(text, "text");
    *text = text_of(masked->text);
  });
}

extern "C" linnet_status linnet_masked_answers(const linnet_masked* masked, const linnet_answers** answers) {
  return linnet::guarded([&] {
    require_pointer(masked, "masked");
    require_pointer(answers, "answers");
    *answers = &masked->answers;
  });
}

extern "C" void linnet_masked_free(linnet_masked* masked) { delete masked; }

extern "C" linnet_status linnet_mask_session_create(linnet_mask_session** session) {
  return linnet::guarded([&] {
    require_pointer(session, "session");
    *session = std::make_unique<linnet_mask_session>().release();
  });
}

extern "C" void linnet_mask_session_free(linnet_mask_session* session) { delete session; }

extern "C" size_t linnet_mask_session_size(const linnet_mask_session* session) {
  size_t size = 0;
  static_cast<void>(linnet::guarded([&] {
    require_pointer(session, "session");
    size = session->value->size();
  }));
  return size;
}

extern "C" linnet_status linnet_mask_session_unmask(const linnet_mask_session* session, linnet_text text,
                                                    linnet_masked** plain) {
  return linnet::guarded([&] {
    require_pointer(session, "session");
    require_pointer(plain, "plain");
    *plain = new_masked(session->value->unmask(view_of(text, "text")));
  });
}

extern "C" linnet_status linnet_mask_session_save(const linnet_mask_session* session, const void* key,
                                                  size_t key_size, linnet_masked** saved) {
  return linnet::guarded([&] {
    require_pointer(session, "session");
    require_pointer(saved, "saved");
    *saved = new_masked(session->value->save(view_of(key, key_size, "key")));
  });
}

extern "C" linnet_status linnet_mask_session_load(const void* key, size_t key_size, const void* bytes,
                                                  size_t size, linnet_mask_session** session) {
  return linnet::guarded([&] {
    require_pointer(session, "session");
    auto made = std::make_unique<linnet_mask_session>();
    made->value->load(view_of(key, key_size, "key"), view_of(bytes, size, "bytes"));
    *session = made.release();
  });
}

extern "C" linnet_status linnet_unmask_stream_create(const linnet_mask_session* session,
                                                     linnet_unmask_stream** stream) {
  return linnet::guarded([&] {
    require_pointer(session, "session");
    require_pointer(stream, "stream");
    *stream = std::make_unique<linnet_unmask_stream>(session->value).release();
  });
}

extern "C" linnet_status linnet_unmask_stream_push(linnet_unmask_stream* stream, linnet_text piece,
                                                   linnet_text* text) {
  return linnet::guarded([&] {
    require_pointer(stream, "stream");
    require_pointer(text, "text");
    stream->text = stream->value.push(view_of(piece, "piece"));
    *text = text_of(stream->text);
  });
}

extern "C" linnet_status linnet_unmask_stream_finish(linnet_unmask_stream* stream, linnet_text* text) {
  return linnet::guarded([&] {
    require_pointer(stream, "stream");
    require_pointer(text, "text");
    stream->text = stream->value.finish();
    *text = text_of(stream->text);
  });
}

extern "C" void linnet_unmask_stream_free(linnet_unmask_stream* stream) { delete stream; }
