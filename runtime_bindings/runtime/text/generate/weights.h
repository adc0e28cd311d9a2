// Weights of many tokens from their logits: the largest logit, exponentials, their sum.
//
// The loops have no branches and work on several numbers side by side, so that compilers use vector
// instructions; the order of all additions is fixed, so that every processor gets the same bits.
#ifndef LINNET_RUNTIME_GENERATE_WEIGHTS_H_
#define LINNET_RUNTIME_GENERATE_WEIGHTS_H_

#include <cstddef>

namespace linnet {

// Place of the largest of some logits, the first of equal ones.
struct Largest {
  std::size_t place;
  float logit;
};

// Find the largest of `count` logits; there must be one. Throw LINNET_RUN_FAILED if a logit is no number.
Largest find_largest(const float* logits, std::size_t count);

// Write e^((logit - largest) / temperature) of each logit to `weights`, 0 where it is below 1e-304. No logit
// may be larger than `largest`, which must be finite.
void write_weights(const float* logits, std::size_t count, float largest, float temperature, double* weights);

// Return the sum of the weights with a relative error below 1e-10, in a third of the time. The same
// conditions hold.
double rough_sum(const float* logits, std::size_t count, float largest, float temperature);

}  // namespace linnet

#endif  // LINNET_RUNTIME_GENERATE_WEIGHTS_H_
