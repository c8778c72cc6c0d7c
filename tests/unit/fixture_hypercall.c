/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls of the unit tests' harness. Each run of the dispatcher, that is
 * also each continuation, is one session of the double-fetch detector.
 */

#include "fixture.h"

#include "arch_inline.h"
#include "ravelin/hypercall.h"
#include "ravelin/quiesce.h"

#define CONTINUATIONS_MAX 1000000u
#define INSN_LEN 3u

enum fake_hostility fixture_hostility = FAKE_FLIP;

static void dispatch_once(struct vcpu *v, bool is_64bit)
{
    struct vmexit exit = {
        .reason = VMEXIT_HYPERCALL,
        .insn_len = INSN_LEN,
        .cpl = 0,
        .code_bits = is_64bit ? 64 : 32,
    };
    struct fake_fetch_report report;

    fake_fetch_begin(fixture_hostility);
    hypercall_dispatch(v, &exit);
    fake_fetch_end(&report);
    if (report.violation_count != 0) {
        fail_msg("hypercall fetched %lu bytes twice, the first at machine "
                 "address 0x%lx",
                 report.violation_count, report.first.v);
    }
}

static void dispatch(struct vcpu *v, bool is_64bit)
{
    uint64_t rip = v->regs.rip;
    struct cpu *self = this_cpu();
    struct vcpu *before = self->current;
    unsigned turns = 0;

    v->cpu = self;
    self->current = v;
    do {
        assert_true(turns++ < CONTINUATIONS_MAX);
        dispatch_once(v, is_64bit);
        quiesce_point();
    } while (v->regs.rip == rip);
    self->current = before;
}

uint64_t fixture_hypercall(struct vcpu *v, uint64_t nr, uint64_t a0,
                           uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    v->regs.gpr[REG_RAX] = nr;
    v->regs.gpr[REG_RDI] = a0;
    v->regs.gpr[REG_RSI] = a1;
    v->regs.gpr[REG_RDX] = a2;
    v->regs.gpr[REG_R10] = a3;
    v->regs.gpr[REG_R8] = a4;
    dispatch(v, true);
    return v->regs.gpr[REG_RAX];
}

uint32_t fixture_hypercall32(struct vcpu *v, uint32_t nr, uint32_t a0,
                             uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4)
{
    v->regs.gpr[REG_RAX] = nr;
    v->regs.gpr[REG_RBX] = a0;
    v->regs.gpr[REG_RCX] = a1;
    v->regs.gpr[REG_RDX] = a2;
    v->regs.gpr[REG_RSI] = a3;
    v->regs.gpr[REG_RDI] = a4;
    dispatch(v, false);
    return (uint32_t)v->regs.gpr[REG_RAX];
}
