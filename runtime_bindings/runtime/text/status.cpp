#include "status.h"

#include <string>
#include <string_view>

#include "per_thread.h"

namespace linnet {
namespace {

struct LastError {
  std::string message;
  std::uint32_t executorch_code = 0;
};

// Return a message with control characters as \u001b: it may quote a file, and a terminal would obey them.
// Those beyond ASCII are C2 80 to C2 9F in UTF-8.
std::string printable(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string shown;
  shown.reserve(message.size());
  for (std::size_t i = 0; i < message.size(); ++i) {
    auto code = static_cast<unsigned char>(message[i]);
    const auto next = static_cast<unsigned char>(i + 1 < message.size() ? message[i + 1] : 0);
    const bool is_wide = code == 0xC2 && next >= 0x80 && next < 0xA0;
    if (!is_wide && (code == '\n' || code == '\t' || (code >= 0x20 && code != 0x7F))) {
      shown += message[i];
      continue;
    }
    code = is_wide ? next : code;
    i += is_wide ? 1 : 0;
    shown += "\\u00";
    shown += kDigits[code >> 4U];
    shown += kDigits[code & 15U];
  }
  return shown;
}

}  // namespace

linnet_status remember_error(linnet_status status, const char* message,
                             std::uint32_t executorch_code) noexcept {
  LastError* const error = PerThread<LastError>::find();
  if (error == nullptr) {
    return status;  // there is no memory for the message; the status alone must do
  }
  error->executorch_code = executorch_code;
  try {
    error->message = printable(message);
  } catch (...) {
    error->message.clear();
  }
  return status;
}

}  // namespace linnet

extern "C" const char* linnet_last_error(void) {
  const auto* const error = linnet::PerThread<linnet::LastError>::find();
  return error == nullptr ? "memory ran out" : error->message.c_str();
}

extern "C" uint32_t linnet_last_executorch_error(void) {
  const auto* const error = linnet::PerThread<linnet::LastError>::find();
  return error == nullptr ? 0 : error->executorch_code;
}

extern "C" int32_t linnet_abi_version(void) { return LINNET_ABI_VERSION; }

// A macro, so that each status is written once and its name cannot differ from its number.
extern "C" const char* linnet_status_name(linnet_status status) {
  switch (status) {
#define LINNET_NAME(name) \
  case name:              \
    return #name
    LINNET_NAME(LINNET_OK);
    LINNET_NAME(LINNET_INVALID_ARGUMENT);
    LINNET_NAME(LINNET_INVALID_UTF8);
    LINNET_NAME(LINNET_INPUT_OUT_OF_RANGE);
    LINNET_NAME(LINNET_INPUT_SHAPE);
    LINNET_NAME(LINNET_TEXT_TOO_LONG);
    LINNET_NAME(LINNET_UNKNOWN_METHOD);
    LINNET_NAME(LINNET_THREADS_FIXED);
    LINNET_NAME(LINNET_UNKNOWN_FIELD);
    LINNET_NAME(LINNET_CONTEXT_FULL);
    LINNET_NAME(LINNET_CANCELLED);
    LINNET_NAME(LINNET_FILE_NOT_FOUND);
    LINNET_NAME(LINNET_FILE_UNREADABLE);
    LINNET_NAME(LINNET_NOT_A_PROGRAM);
    LINNET_NAME(LINNET_NOT_A_LINNET_FILE);
    LINNET_NAME(LINNET_FILE_TRUNCATED);
    LINNET_NAME(LINNET_PROGRAM_DAMAGED);
    LINNET_NAME(LINNET_TRAILER_DAMAGED);
    LINNET_NAME(LINNET_FILE_DAMAGED);
    LINNET_NAME(LINNET_SCHEMA_TOO_NEW);
    LINNET_NAME(LINNET_MANIFEST_INVALID);
    LINNET_NAME(LINNET_TOKENIZER_INVALID);
    LINNET_NAME(LINNET_SIGNATURE_INVALID);
    LINNET_NAME(LINNET_STATE_INVALID);
    LINNET_NAME(LINNET_BACKEND_MISSING);
    LINNET_NAME(LINNET_OPERATOR_MISSING);
    LINNET_NAME(LINNET_EXECUTORCH_TOO_OLD);
    LINNET_NAME(LINNET_OUT_OF_MEMORY);
    LINNET_NAME(LINNET_LOAD_FAILED);
    LINNET_NAME(LINNET_RUN_FAILED);
    LINNET_NAME(LINNET_INTERNAL);
#undef LINNET_NAME
    default:
      return "LINNET_UNKNOWN";
  }
}
