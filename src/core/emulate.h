/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What single instructions (emulate.c) and whole stretches of them
 * (emulate_real.c) have in common: the guest's memory and ports as the
 * emulator's callbacks, and a vCPU's state as the emulator's.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/emul.h"

extern const uint8_t emulate_segment_of[EMUL_SEG_COUNT];

int emulate_op_read(struct emul *e, uint64_t lin, unsigned size,
                    unsigned access, uint64_t *value);
int emulate_op_write(struct emul *e, uint64_t lin, unsigned size,
                     unsigned access, uint64_t value);
int emulate_op_probe(struct emul *e, uint64_t lin, unsigned size,
                     unsigned access);

int emulate_op_io_block(struct emul *e, uint16_t port, unsigned size, bool in,
                        uint64_t lin, unsigned access, uint32_t *count);

/** After each port access of an exit or slice: has it had its time? *end_ns is
 * 0 before the first one. */
bool emulate_io_is_late(uint64_t *end_ns);

/* emulate_settled.c */
/** Could every processor be entered with these segments in protected mode? */
bool emulate_is_settled(const struct emul_cpu *cpu);

/* emulate_fpu.c */
/** For emul_ops.fpu: what start-up code does to find an x87, and no more. */
int emulate_op_fpu(struct emul *e, const struct emul_insn *insn);
/** Executes the instruction at RIP if it is FXSAVE or FXRSTOR; else
 * EMUL_UNHANDLED. */
enum emul_result emulate_fpu_image(struct emul *e);

/** Registers, segments and control registers of `v`; no shadow. */
void emulate_state_load(struct emul_cpu *cpu, const struct vcpu *v);
/** General registers, RIP, flags, and segments that differ from `before`. */
void emulate_state_store(struct vcpu *v, const struct emul_cpu *cpu,
                         const struct emul_cpu *before);
