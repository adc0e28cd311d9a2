/* Is SMOPA, the int8 outer product of SME, right on this processor? XNNPACK's int8 kernels for SME
 * (xnn_qp8_f32_qc8w_gemm_minmax_ukernel_16x64c4__neonsme, of KleidiAI) rest on it; QEMU 7.2 gets it wrong.
 * Compares the tile with the definition in the Arm Architecture Reference Manual, DDI 0487, SMOPA (4-way):
 * ZA[row][column] += sum over k < 4 of Zn[4 * row + k] * Zm[4 * column + k].
 * Prints the vector length and the number of wrong elements; exit status 1 if there is one, 77 without SME.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>

#define HWCAP2_SME_BIT (1UL << 23)
#define MOST_BYTES 256 /* longest streaming vector: 2048 bits */

static int8_t left[MOST_BYTES], right[MOST_BYTES];
static int32_t tile[MOST_BYTES / 4 * (MOST_BYTES / 4)];

static uint64_t multiply(void) {
  uint64_t bytes = 0;
  __asm__ volatile(
      ".arch armv9-a+sme\n"
      "smstart\n"
      "cntb %[bytes]\n"
      "ptrue p0.b\n"
      "ld1b {z0.b}, p0/z, [%[left]]\n"
      "ld1b {z1.b}, p0/z, [%[right]]\n"
      "zero {za}\n"
      "smopa za0.s, p0/m, p0/m, z0.b, z1.b\n"
      "mov w12, #0\n"
      "lsr x13, %[bytes], #2\n"
      "mov x14, %[tile]\n"
      "1:\n"
      "st1w {za0h.s[w12, 0]}, p0, [x14]\n"
      "add x14, x14, %[bytes]\n"
      "add w12, w12, #1\n"
      "cmp x12, x13\n"
      "b.lt 1b\n"
      "smstop\n"
      : [bytes] "=&r"(bytes)
      : [left] "r"(left), [right] "r"(right), [tile] "r"(tile)
      : "x12", "x13", "x14", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
        "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
        "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
  return bytes;
}

int main(void) {
  if ((getauxval(AT_HWCAP2) & HWCAP2_SME_BIT) == 0) {
    puts("no SME");
    return 77;
  }
  for (int at = 0; at < MOST_BYTES; ++at) {
    left[at] = (int8_t)(7 * at + 3);
    right[at] = (int8_t)(13 * at + 5);
  }
  const uint64_t bytes = multiply();
  const uint64_t rows = bytes / 4;
  unsigned wrong = 0;
  for (uint64_t row = 0; row < rows; ++row) {
    for (uint64_t column = 0; column < rows; ++column) {
      int32_t expected = 0;
      for (uint64_t k = 0; k < 4; ++k) {
        expected += left[4 * row + k] * right[4 * column + k];
      }
      wrong += tile[row * rows + column] != expected;
    }
  }
  printf("SMOPA at %u bits: %u of %u elements wrong\n", (unsigned)(8 * bytes), wrong,
         (unsigned)(rows * rows));
  return wrong != 0;
}
