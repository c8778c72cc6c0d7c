/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One physical processor: what every module keeps per CPU. Only the owning CPU
 * writes its structure, except where a field names another guard. this_cpu()
 * comes from arch_inline.h (the GS base on x86, a thread-local when hosted).
 */
#pragma once

#include "ravelin/lock.h"
#include "ravelin/timer.h"
#include "ravelin/types.h"

#define CPU_COUNT_MAX 64

struct vcpu;
struct timer_queue;
struct sched_cpu;

struct cpu {
    struct cpu *self; /* at %gs:0 */
    uint32_t id;      /* dense, 0 = boot CPU */
    uint32_t apic_id; /* hardware id, for IPIs */
    uint64_t scratch; /* entry code's spare slot, at %gs:16 */
    void *stack_top;  /* highest address of this CPU's stack */
    bool online;      /* set once by the CPU itself */

    struct vcpu *current; /* the vCPU that runs here; NULL: idle */
    struct vcpu *loaded;  /* whose state is in the registers: current, or
                             the last one while it merely waits */
    bool resched;         /* set by any CPU: call sched_pick() before the next
                             entry. Stays set while idle. */
    bool in_guest;        /* between world switch in and out */

    struct sched_cpu *sched;
    struct timer_queue *timers;

    uint64_t quiesce_epoch;     /* last epoch seen at a quiescent point */
    struct timer quiesce_timer; /* to look for CPUs that hold things up */

    uint8_t locks_held[LOCK_RANK_COUNT]; /* debug builds only */

    void *arch; /* struct x86_cpu, or the fake's */
};

/** The CPU with dense index `id`; NULL if none such was brought up. */
struct cpu *cpu_by_id(unsigned id);
/** CPUs that have come online; ids are 0 .. cpu_count()-1. */
unsigned cpu_count(void);
/** Publishes a CPU. Boot code, one CPU at a time; `cpu->id` must be next. */
void cpu_register(struct cpu *cpu);
/** Forgets all CPUs. Hosted tests only: no CPU may be running. */
void cpu_table_reset(void);
