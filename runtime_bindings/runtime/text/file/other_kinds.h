// What a file is that is no ExecuTorch program, by its first bytes.
#ifndef LINNET_RUNTIME_FILE_OTHER_KINDS_H_
#define LINNET_RUNTIME_FILE_OTHER_KINDS_H_

#include <string>

#include "file/bytes.h"

namespace linnet {

// Return what a file is and what to do, to follow "not an ExecuTorch program, ".
std::string other_kind(ByteView file);

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_OTHER_KINDS_H_
