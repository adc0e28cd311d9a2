/* What count.c uses of QEMU's plugin interface, version 1 (QEMU 4.2 to 8.2), declared from its documentation:
 * https://www.qemu.org/docs/master/devel/tcg-plugins.html. Debian has no package with the header.
 */
#ifndef LINNET_BENCHMARKS_ARM_COST_PLUGIN_QEMU_PLUGIN_H_
#define LINNET_BENCHMARKS_ARM_COST_PLUGIN_QEMU_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_VISIBLE __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;

struct qemu_plugin_tb;   /* a translated block */
struct qemu_plugin_insn; /* an instruction of it */

enum { QEMU_PLUGIN_NO_REGISTERS = 0 };
enum { QEMU_PLUGIN_INLINE_ADD = 0 };
enum { QEMU_PLUGIN_READS_AND_WRITES = 3 };

typedef void (*qemu_plugin_translated_t)(qemu_plugin_id_t id, struct qemu_plugin_tb* block);
typedef void (*qemu_plugin_accessed_t)(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                                       void* data);
typedef void (*qemu_plugin_called_t)(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1,
                                     uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
                                     uint64_t a7, uint64_t a8);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_translated_t translated);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, qemu_plugin_called_t called);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb* block, int operation, void* counter,
                                              uint64_t add);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn* instruction, qemu_plugin_accessed_t accessed,
                                      int registers, int accesses, void* data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* instruction);

unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info); /* logarithm of the bytes */
_Bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);

#endif /* LINNET_BENCHMARKS_ARM_COST_PLUGIN_QEMU_PLUGIN_H_ */
