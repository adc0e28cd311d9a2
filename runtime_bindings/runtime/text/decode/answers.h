// Answers of all tasks, before linnet.h hands them out.
#ifndef LINNET_RUNTIME_DECODE_ANSWERS_H_
#define LINNET_RUNTIME_DECODE_ANSWERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "linnet.h"

namespace linnet {

// A place in a text, in all three units; -1 where there is none.
struct Place {
  linnet_span code_points = {-1, -1};
  linnet_span utf8 = {-1, -1};
  linnet_span utf16 = {-1, -1};
};

// The fields of linnet_answer, which documents them, with memory of their own.
struct Answer {
  double score = 0;
  std::string label;
  std::string text;
  std::string sequence;
  std::int64_t label_index = -1;
  std::int64_t token = -1;
  std::int64_t index = -1;
  std::int64_t first_token = -1;
  std::int64_t last_token = -1;
  Place place;
  std::vector<std::int64_t> words;
};

using Answers = std::vector<Answer>;

}  // namespace linnet

#endif  // LINNET_RUNTIME_DECODE_ANSWERS_H_
