/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulation of many CPUs and vCPUs in one thread: time moves from event to
 * event, each CPU takes a turn when its timer fires or it is kicked. What a
 * vCPU does is a small behaviour: compute for ever, or compute and sleep.
 */
#pragma once

#include "core_fixture.h"

#define SIM_VCPUS_MAX 512u

struct sim_vcpu {
    struct vcpu *v;
    uint64_t work_ns; /* computes that long, then sleeps; 0: for ever */
    uint64_t sleep_ns;
    uint64_t wake_at;       /* UINT64_MAX: not asleep */
    uint64_t block_at_used; /* CPU time at which it goes to sleep */
    uint64_t woken_at;
    uint64_t latency_max; /* from wake-up to running */
    bool was_woken;
    uint64_t used_at_start;
    uint64_t last_ran;
    uint64_t starved_max; /* longest time runnable without running */
};

extern struct sim_vcpu sim_vcpu[SIM_VCPUS_MAX];
extern unsigned sim_vcpu_count;
extern uint64_t sim_switches;
/* Changes with every decision: equal in two equal runs. */
extern uint64_t sim_hash;

/** Machine with `cpus` CPUs, no vCPUs. */
void sim_create(unsigned cpus);
void sim_destroy(void);
/** Domain with one vCPU of that behaviour, running. */
struct sim_vcpu *sim_add(uint32_t weight, uint64_t affinity, uint64_t work_ns,
                         uint64_t sleep_ns);
/** The same with several vCPUs that behave alike; the first of them. */
struct sim_vcpu *sim_add_domain(unsigned vcpus, uint32_t weight,
                                uint64_t work_ns, uint64_t sleep_ns);
/** Lets `ns` pass. */
void sim_run(uint64_t ns);
/** From now on shares are counted. */
void sim_mark(void);
/** CPU time of that vCPU since the mark. */
uint64_t sim_used(const struct sim_vcpu *s);
