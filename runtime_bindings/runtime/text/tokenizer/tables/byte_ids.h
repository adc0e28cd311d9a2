// Ids of the tokens that stand for one byte each.
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_BYTE_IDS_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_BYTE_IDS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tokenizer/tables/format.h"

namespace linnet::tables {

class ByteIds {
 public:
  // Read 256 ids, kNone for bytes without a token. Throw LINNET_TOKENIZER_INVALID for an id that is not below
  // `size`.
  ByteIds(Reader& reader, std::size_t size) : ids_(reader.numbers(256)) {
    bool inside = true;
    for (std::size_t byte = 0; byte < ids_.size(); ++byte) {
      inside &= ids_[byte] == kNone || ids_[byte] < size;
    }
    require(inside, "the model names an id above the vocabulary");
  }

  // Return the id of a byte, kNone if it has no token.
  std::uint32_t operator[](char byte) const noexcept { return ids_[static_cast<unsigned char>(byte)]; }

  // Return true if all bytes have a token.
  bool have(std::string_view bytes) const noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [this](char byte) { return (*this)[byte] != kNone; });
  }

 private:
  Numbers ids_;
};

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_BYTE_IDS_H_
