// Manifest reader: runs the constant methods of an ExecuTorch program.
#ifndef LINNET_RUNTIME_PROGRAM_READ_FIELDS_H_
#define LINNET_RUNTIME_PROGRAM_READ_FIELDS_H_

#include <executorch/runtime/executor/program.h>

#include "file/fields.h"
#include "file/file_bytes.h"

namespace linnet {

// Read every constant method: one without inputs and instructions, whose one result is an int, float, bool,
// str or uint8 tensor. Bytes that lie in the file are borrowed from it, everything else is copied.
Fields read_fields(const executorch::runtime::Program& program, const FileBytes& file);

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_READ_FIELDS_H_
