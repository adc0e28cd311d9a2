// Trailer of a linnet file: evidence, hashes and signature behind the program. Nothing in it is believed
// unless it agrees with the file. Layout: sdk/linnet/format/trailer.py.
#ifndef LINNET_RUNTIME_FILE_TRAILER_H_
#define LINNET_RUNTIME_FILE_TRAILER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "file/bytes.h"

namespace linnet {

// Parts of the file, all borrowed from it.
struct Trailer {
  ByteView program;                 // what ExecuTorch sees
  ByteView evidence;                // UTF-8 JSON
  std::vector<ByteView> structure;  // header and program section, then the delegate sections
  ByteView structure_hash;
  ByteView before_file_hash;  // every byte that the second hash covers
  ByteView file_hash;
  ByteView before_signature;  // every byte that a signature covers
  ByteView signature;         // empty if there is none
  ByteView footer;
  bool proven_seven_bits;  // the proof holds for activations of 7 bits, too
};

// Read the trailer of a whole file. `name` is the file's name in messages. Throw Error with
// LINNET_NOT_A_PROGRAM, LINNET_NOT_A_LINNET_FILE, LINNET_FILE_TRUNCATED or LINNET_TRAILER_DAMAGED.
Trailer read_trailer(ByteView file, const std::string& name);

// Throw LINNET_PROGRAM_DAMAGED if the parts that ExecuTorch parses differ from their hash.
void check_structure(const Trailer& trailer, const std::string& name);

// Return the message that a signature signs: LINNET_SIGNED_SIZE bytes. Throw
// LINNET_SIGNATURE_INVALID if the file has none.
std::vector<std::uint8_t> signed_message(const Trailer& trailer, const std::string& name);

// Throw LINNET_FILE_DAMAGED if any byte of the file differs from its hash.
void check_file(const Trailer& trailer, const std::string& name);

}  // namespace linnet

#endif  // LINNET_RUNTIME_FILE_TRAILER_H_
