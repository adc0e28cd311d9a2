// Log functions of the cpuinfo library, which ExecuTorch's thread pool contains. Its own ones write to stderr
// when /proc or /sys lack something. Linux resolves them to these, because liblinnet comes first in the
// search order.
#if defined(__linux__)

#include <cstdarg>
#include <cstdio>

#include "program/executorch_errors.h"

extern "C" __attribute__((visibility("default"))) void cpuinfo_vlog_error(const char* format,
                                                                          va_list arguments);
extern "C" __attribute__((visibility("default"))) void cpuinfo_vlog_fatal(const char* format,
                                                                          va_list arguments);

namespace {

void keep(const char* format, va_list arguments) {
  char line[256];
  const int length = std::vsnprintf(line, sizeof line, format, arguments);
  if (length > 0) {
    linnet::keep_log_line(line);
  }
}

}  // namespace

void cpuinfo_vlog_error(const char* format, va_list arguments) { keep(format, arguments); }
void cpuinfo_vlog_fatal(const char* format, va_list arguments) { keep(format, arguments); }

#endif
