// Reads the manifest out of an ExecuTorch program.
#ifndef LINNET_RUNTIME_PROGRAM_READ_FIELDS_H_
#define LINNET_RUNTIME_PROGRAM_READ_FIELDS_H_

#include <executorch/runtime/executor/program.h>

#include "file/fields.h"
#include "file/file_bytes.h"

namespace linnet {

// Reads every constant method: no inputs, no instructions, one result that is an int, float, bool, str
// or uint8 tensor. Bytes inside the mapping are pointed at, everything else is copied.
Fields read_fields(const executorch::runtime::Program& program, const FileBytes& file);

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_READ_FIELDS_H_
