#include "status.h"

#include "per_thread.h"

namespace linnet {
namespace {

struct LastError {
  std::string message;
  std::uint32_t executorch_code = 0;
};

}  // namespace

linnet_status remember_error(linnet_status status, const char* message,
                             std::uint32_t executorch_code) noexcept {
  LastError* const error = PerThread<LastError>::find();
  if (error == nullptr) {
    return status;  // there is no memory for the message; the status alone must do
  }
  error->executorch_code = executorch_code;
  try {
    error->message = message;
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
