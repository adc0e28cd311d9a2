// Post-processor of the tables: templates of special tokens, and whether spaces are left out of offsets.
//
//   flags: 1 trim_offsets, 2 add_prefix_space; template of one text, template of two texts, each: count, then
//   kind (0 first text, 1 second text, 2 special token), type id, token id of each piece
#ifndef LINNET_RUNTIME_TOKENIZER_TABLES_POST_PROCESSOR_H_
#define LINNET_RUNTIME_TOKENIZER_TABLES_POST_PROCESSOR_H_

#include <string_view>

#include "tokenizer/blob.h"
#include "tokenizer/tables/vocabulary.h"

namespace linnet::tables {

struct PostProcessor {
  bool trim_offsets = false;
  bool add_prefix_space = false;
  Template single;  // holds the first text once
  Template pair;    // holds each text once
};

PostProcessor read_post_processor(std::string_view bytes, const TableVocabulary& vocabulary);

}  // namespace linnet::tables

#endif  // LINNET_RUNTIME_TOKENIZER_TABLES_POST_PROCESSOR_H_
