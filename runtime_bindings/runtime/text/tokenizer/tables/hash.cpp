#include "tokenizer/tables/hash.h"

namespace linnet::tables {

Slots::Slots(Numbers slots, std::size_t entries) : slots_(slots), entries_(entries) {
  bool inside = true;
  bool free = slots.size() == 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint32_t entry = slots[i] & kEntry;
    inside &= entry <= entries;
    free |= slots[i] == 0;
  }
  require(inside, "a slot names an entry that does not exist");
  require(free, "a table has no free slot");
}

}  // namespace linnet::tables
