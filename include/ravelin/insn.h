/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction at a vCPU's RIP, fetched, decoded and cached.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/emul_insn.h"

#define RFLAGS_TF (1UL << 8)
#define RFLAGS_IF (1UL << 9)
#define RFLAGS_RF (1UL << 16)

int rv_must_check insn_cache_create(struct vcpu *v);
void insn_cache_destroy(struct vcpu *v);

/** Width of the code `v` runs, and the base its RIP is relative to. */
enum emul_mode vcpu_code_mode(const struct vcpu *v, uint64_t *base);

/**
 * The instruction at RIP of `v`, current on this CPU. The result lives until
 * the next call for the same vCPU.
 * @return NULL with an exception queued (#PF, #UD, #GP) or the domain crashed.
 */
const struct emul_insn *vcpu_insn_fetch(struct vcpu *v,
                                        const struct vmexit *exit);

/** The same without any consequence, and whatever a monitor's rights say.
 * 0; -EFAULT it cannot be read or is no instruction. Takes no lock. */
int rv_must_check vcpu_insn_peek(struct vcpu *v, struct emul_insn *out);
/** Linear address of the memory operand of `insn`, the instruction at RIP. */
gva_t insn_memory_operand(const struct vcpu *v, const struct emul_insn *insn);

/** RIP += length, in the code's width; ends the interrupt shadow. */
void vcpu_rip_advance(struct vcpu *v, unsigned length);
