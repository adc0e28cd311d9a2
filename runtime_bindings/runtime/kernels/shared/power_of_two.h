// Powers of 2, for the vectors of the processor whose source includes this.
#ifndef LINNET_RUNTIME_KERNELS_SHARED_POWER_OF_TWO_H_
#define LINNET_RUNTIME_KERNELS_SHARED_POWER_OF_TWO_H_

namespace linnet::kernels {
namespace {

constexpr float kLog2E = 1.44269504F;

// Return 2^x for x below 128, and 0 for x below -125. The minimax polynomial of degree 3 has a relative error
// below 7.5e-5 on [0, 1), far less than the rounding of a weight.
inline Floats power_of_two(Floats x) {
  const Floats part = fraction(x);
  Floats power = all(7.8024521e-2F);
  power = fused(power, part, all(2.2606716e-1F));
  power = fused(power, part, all(6.9583354e-1F));
  power = fused(power, part, all(9.9992522e-1F));
  return times_whole_power(power, x);
}

// Return e^x for x below 88, and 0 for x below -86. The minimax polynomial of degree 6 has a relative error
// below 2e-9, and the whole about 1e-7 times the magnitude of x.
inline Floats precise_exponential(Floats x) {
  constexpr float kTerms[] = {1.24396879e-3F, 9.67884099e-3F, 5.54833420e-2F,
                              2.40229836e-1F, 6.93146984e-1F, 1.0F};
  const Floats exponent = multiply(x, all(kLog2E));
  const Floats part = fraction(exponent);
  Floats power = all(2.17022552e-4F);
  for (const float term : kTerms) {
    power = fused(power, part, all(term));
  }
  return times_whole_power(power, exponent);
}

}  // namespace
}  // namespace linnet::kernels

#endif  // LINNET_RUNTIME_KERNELS_SHARED_POWER_OF_TWO_H_
