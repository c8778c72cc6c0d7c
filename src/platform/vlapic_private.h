/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State of a virtual local APIC, and what its files share. One page per vCPU
 * holds it together with the vCPU's MSR state (msr_state.h).
 *
 * Who may touch what: `irr`, `tmr` and `esr_pending` from any CPU, atomically;
 * timer state under `lock`; destination registers (id, ldr, dfr, mode) are
 * written by the owner and read by any CPU as single words; the rest by the
 * CPU that has the vCPU.
 */
#pragma once

#include "ravelin/lock.h"
#include "ravelin/timer.h"
#include "ravelin/vlapic.h"

#include "msr_state.h"

/* Register numbers: MMIO offset / 16, MSR - 0x800. */
enum apic_reg {
    APIC_ID = 0x02,
    APIC_VERSION = 0x03,
    APIC_TPR = 0x08,
    APIC_APR = 0x09,
    APIC_PPR = 0x0a,
    APIC_EOI = 0x0b,
    APIC_RRR = 0x0c,
    APIC_LDR = 0x0d,
    APIC_DFR = 0x0e,
    APIC_SVR = 0x0f,
    APIC_ISR = 0x10,
    APIC_TMR = 0x18,
    APIC_IRR = 0x20,
    APIC_ESR = 0x28,
    APIC_ICR = 0x30,
    APIC_ICR2 = 0x31,
    APIC_LVT_TIMER = 0x32,
    APIC_LVT_THERMAL = 0x33,
    APIC_LVT_PERF = 0x34,
    APIC_LVT_LINT0 = 0x35,
    APIC_LVT_LINT1 = 0x36,
    APIC_LVT_ERROR = 0x37,
    APIC_TMICT = 0x38,
    APIC_TMCCT = 0x39,
    APIC_TDCR = 0x3e,
    APIC_SELF_IPI = 0x3f,
    APIC_REG_COUNT = 0x40
};

#define APIC_LVT_COUNT 6u
#define APIC_MSR_BASE 0x800u
#define APIC_MSR_LAST 0xbffu /* reserved for x2APIC as a whole */

/* Integrated APIC, six LVT entries, no EOI-broadcast suppression. */
#define APIC_VERSION_VALUE 0x00050014u

#define APIC_SVR_ENABLE 0x100u
#define APIC_SVR_MASK 0x3ffu
#define APIC_LVT_MASKED 0x10000u
#define APIC_LVT_VECTOR 0xffu
#define APIC_LVT_MODE 0x700u
#define APIC_LVT_EXTINT 0x700u

#define APIC_ESR_SEND_ILLEGAL 0x20u
#define APIC_ESR_RECV_ILLEGAL 0x40u
#define APIC_ESR_REGISTER 0x80u

#define APIC_ICR_LOGICAL 0x800u
#define APIC_ICR_LEVEL 0x4000u
#define APIC_ICR_TRIGGER 0x8000u
#define APIC_ICR_MASK 0x000ccfffu /* bits kept; 12 always reads idle */
#define APIC_ICR_X2_MASK 0x000ccfffu
#define APIC_VECTOR_FIRST 16u /* lower ones are illegal */

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define APIC_BASE_BSP 0x100u
#define APIC_BASE_X2 0x400u
#define APIC_BASE_EN 0x800u

enum apic_timer_mode {
    APIC_TIMER_ONESHOT,
    APIC_TIMER_PERIODIC,
    APIC_TIMER_DEADLINE,
    APIC_TIMER_RESERVED,
};

/* A count-down from `initial`, in units of 2^shift ns, ending at deadline_ns.
 * protected by vlapic->lock */
struct apic_timer {
    struct timer timer;
    uint64_t deadline_ns; /* 0: stopped */
    uint64_t tsc_deadline;
    uint32_t initial;
    uint32_t divide; /* register value */
    uint8_t shift;
    uint8_t mode; /* enum apic_timer_mode */
};

struct vlapic {
    uint64_t irr[4]; /* atomic */
    uint64_t tmr[4]; /* atomic */
    uint64_t isr[4];
    int16_t isr_top; /* highest vector in service, or -1 */
    bool enabled;    /* by APIC_BASE and by the spurious vector register */
    bool wait_sipi;  /* protected by lock */
    bool start;      /* protected by lock: SIPI latched, not yet acted on */
    struct vcpu *vcpu;

    uint32_t base; /* IA32_APIC_BASE without the address */
    uint32_t id;
    uint32_t ldr;
    uint32_t dfr;
    uint32_t tpr; /* 0..255; CR8 is the high nibble */
    uint32_t svr;
    uint32_t esr;
    uint32_t esr_pending; /* atomic */
    uint32_t icr;
    uint32_t icr2;
    uint32_t lvt[APIC_LVT_COUNT];
    uint32_t rotor; /* last lowest-priority choice; in vCPU 0's APIC */

    struct spinlock lock;
    struct apic_timer timer;
    struct msr_state msr;
};

static inline bool vlapic_is_x2apic(const struct vlapic *vl)
{
    return (read_once(vl->base) & APIC_BASE_X2) != 0;
}

/** Highest vector in a 256-bit set, or -1. */
static inline int vector_set_highest(const uint64_t set[4])
{
    for (int i = 3; i >= 0; i--) {
        uint64_t word = read_once(set[i]);

        if (word != 0) {
            return i * 64 + 63 - __builtin_clzl(word);
        }
    }
    return -1;
}

/* vlapic.c */
/** Registers to their values after INIT; base, id and INIT state stay. */
void vlapic_registers_reset(struct vlapic *vl);
/** Recomputes `enabled` after a change of base or spurious vector. */
void vlapic_enabled_update(struct vlapic *vl);
/** Processor priority: task priority or vector in service. */
uint32_t vlapic_ppr_read(const struct vlapic *vl);
/** Notes an error and raises the error interrupt once per error bit until the
 * guest clears the status. Never recurses. Any CPU. */
void vlapic_error_raise(struct vlapic *vl, uint32_t bit);
/** Raises a local vector table entry with fixed delivery. */
void vlapic_lvt_raise(struct vlapic *vl, enum apic_reg reg);

/* vlapic_regs.c */
/** -EINVAL: no such register in the APIC's present mode. */
int rv_must_check vlapic_reg_read(struct vlapic *vl, unsigned reg,
                                  uint32_t *value);
/** -EINVAL: no such register; in x2APIC mode also reserved bits set. */
int rv_must_check vlapic_reg_write(struct vlapic *vl, unsigned reg,
                                   uint32_t value);

/* vlapic_ipi.c */
/** Sends what the interrupt command register says. */
void vlapic_icr_send(struct vlapic *vl, uint32_t icr, uint32_t dest);

/* vlapic_timer.c */
void vlapic_timer_init(struct vlapic *vl);
/** Stops the count-down; afterwards no callback runs. */
void vlapic_timer_stop(struct vlapic *vl);
void vlapic_timer_initial_write(struct vlapic *vl, uint32_t count);
void vlapic_timer_divide_write(struct vlapic *vl, uint32_t divide);
/** The timer's mode bits changed to `mode`. */
void vlapic_timer_mode_set(struct vlapic *vl, enum apic_timer_mode mode);
uint32_t vlapic_timer_current_read(struct vlapic *vl);
uint64_t vlapic_timer_deadline_read(struct vlapic *vl);
void vlapic_timer_deadline_write(struct vlapic *vl, uint64_t tsc);
