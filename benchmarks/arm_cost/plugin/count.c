/* Counts what a 64-bit ARM program executes under QEMU's user mode, between marks that the program sets.
 *
 *   qemu-aarch64 -plugin count.so,to=OUT[,memory=on] ...
 *
 * The program sets mark number n by the system call getpgid(MARK + n), which fails: no process has such a
 * number. For each mark a line goes to OUT: `mark n` and what was counted since the start, as name=value.
 * Instructions are counted as their block starts to execute, and so are those of some kinds; see kKinds.
 * With memory=on also the bytes that loads and stores move, and the lines of 64 bytes that were touched since
 * the last mark: only read, read and later written, or written first. Counts of other threads may be lost:
 * nothing is atomic here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

#define MARK 0x4c490000U
#define MOST_MARKS 0x10000U
#define GETPGID 155 /* of 64-bit ARM */

QEMU_PLUGIN_VISIBLE int qemu_plugin_version = 1;

/* Kinds of instructions, by their encoding in the Arm Architecture Reference Manual, DDI 0487. */
enum { kDot, kMatrix, kWidening, kPairwise, kFloat, kMemory, kScalable, kCountOfKinds };
static const char* const kKindNames[kCountOfKinds] = {"dot",   "matrix", "widening", "pairwise",
                                                      "float", "memory", "scalable"};
static const struct {
  int kind;
  uint32_t mask, value;
} kKinds[] = {
    {kDot, 0x9fe0fc00, 0x0e809400},                                           /* sdot, udot */
    {kDot, 0x9fc0f400, 0x0f80e000},                                           /* by element */
    {kDot, 0xbfe0fc00, 0x0e809c00},                                           /* usdot */
    {kDot, 0xbf40f400, 0x0f00f000},                                           /* usdot, sudot by element */
    {kMatrix, 0xdfe0fc00, 0x4e80a400},                                        /* smmla, ummla */
    {kMatrix, 0xffe0fc00, 0x4e80ac00},                                        /* usmmla */
    {kWidening, 0x9f20fc00, 0x0e20c000},                                      /* smull, umull */
    {kWidening, 0x9f20fc00, 0x0e208000},                                      /* smlal, umlal */
    {kWidening, 0x9f00f400, 0x0f00a000},                                      /* by element */
    {kWidening, 0x9f00f400, 0x0f002000}, {kPairwise, 0x9f3ffc00, 0x0e206800}, /* sadalp, uadalp */
    {kFloat, 0xbfa0fc00, 0x0e20cc00},                                         /* fmla */
    {kFloat, 0xbf80f400, 0x0f801000},                                         /* by element */
    {kMemory, 0x0a000000, 0x08000000},                                        /* loads and stores */
    {kScalable, 0x1e000000, 0x04000000},                                      /* SVE */
};

static uint64_t instructions, kinds[kCountOfKinds];
static uint64_t bytes_loaded, bytes_stored;
static FILE* out;
static int with_memory;

/* Lines of 64 bytes touched since the last mark: a table with linear probing. */
enum { kRead = 1, kWritten = 2, kReadFirst = 4 };
static uint64_t* lines; /* address / 64 * 8 + what happened; 0: free */
static size_t slots, used;

static uint64_t* slot_of(uint64_t line) {
  size_t at = (size_t)((line * 0x9e3779b97f4a7c15U) >> 20U) & (slots - 1);
  while (lines[at] != 0 && lines[at] >> 3U != line) {
    at = (at + 1) & (slots - 1);
  }
  return &lines[at];
}

static void grow(void) {
  uint64_t* old = lines;
  const size_t count = slots;
  slots = count == 0 ? (size_t)1 << 16U : count * 2;
  lines = calloc(slots, sizeof *lines);
  if (lines == NULL) {
    abort();
  }
  for (size_t i = 0; i < count; ++i) {
    if (old[i] != 0) {
      *slot_of(old[i] >> 3U) = old[i];
    }
  }
  free(old);
}

static void touch(uint64_t line, unsigned what) {
  if (used * 2 >= slots) {
    grow();
  }
  uint64_t* slot = slot_of(line);
  if (*slot == 0) {
    *slot = line << 3U | (what == kRead ? kReadFirst : 0U);
    ++used;
  }
  *slot |= what;
}

static void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void* data) {
  (void)vcpu;
  (void)data;
  const uint64_t size = (uint64_t)1 << qemu_plugin_mem_size_shift(info);
  const int store = qemu_plugin_mem_is_store(info);
  *(store ? &bytes_stored : &bytes_loaded) += size;
  for (uint64_t line = address >> 6U; line <= (address + size - 1) >> 6U; ++line) {
    touch(line, store ? kWritten : kRead);
  }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  uint64_t found[kCountOfKinds] = {0};
  const size_t count = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(block, i);
    uint32_t word = 0;
    memcpy(&word, qemu_plugin_insn_data(instruction), sizeof word);
    for (size_t k = 0; k < sizeof kKinds / sizeof *kKinds; ++k) {
      found[kKinds[k].kind] += (word & kKinds[k].mask) == kKinds[k].value;
    }
    if (with_memory) {
      qemu_plugin_register_vcpu_mem_cb(instruction, accessed, QEMU_PLUGIN_NO_REGISTERS,
                                       QEMU_PLUGIN_READS_AND_WRITES, NULL);
    }
  }
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD, &instructions, count);
  for (size_t kind = 0; kind < kCountOfKinds; ++kind) {
    if (found[kind] > 0) {
      qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD, &kinds[kind], found[kind]);
    }
  }
}

static void write_lines(void) {
  uint64_t only_read = 0, read_first = 0, written_first = 0;
  for (size_t i = 0; i < slots; ++i) {
    if ((lines[i] & kWritten) == 0) {
      only_read += lines[i] != 0;
    } else if ((lines[i] & kReadFirst) != 0) {
      ++read_first;
    } else {
      ++written_first;
    }
  }
  fprintf(out, " bytes_loaded=%llu bytes_stored=%llu lines_only_read=%llu lines_read_first=%llu",
          (unsigned long long)bytes_loaded, (unsigned long long)bytes_stored, (unsigned long long)only_read,
          (unsigned long long)read_first);
  fprintf(out, " lines_written_first=%llu", (unsigned long long)written_first);
  memset(lines, 0, slots * sizeof *lines);
  used = 0;
}

static void called(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                   uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)vcpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != GETPGID || a1 < MARK || a1 >= MARK + MOST_MARKS) {
    return;
  }
  fprintf(out, "mark %u instructions=%llu", (unsigned)(a1 - MARK), (unsigned long long)instructions);
  for (size_t kind = 0; kind < kCountOfKinds; ++kind) {
    fprintf(out, " %s=%llu", kKindNames[kind], (unsigned long long)kinds[kind]);
  }
  if (with_memory) {
    write_lines();
  }
  fputc('\n', out);
  fflush(out);
}

/* Called by QEMU as the plugin is loaded; `info` is not used. */
QEMU_PLUGIN_VISIBLE int qemu_plugin_install(qemu_plugin_id_t id, const void* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "to=", 3) == 0) {
      out = fopen(argv[i] + 3, "w");
    } else if (strcmp(argv[i], "memory=on") == 0) {
      with_memory = 1;
    } else {
      fprintf(stderr, "count: what is %s?\n", argv[i]);
      return 1;
    }
  }
  if (out == NULL) {
    fprintf(stderr, "count: to=OUT is missing or cannot be written\n");
    return 1;
  }
  if (with_memory) {
    grow();
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}
