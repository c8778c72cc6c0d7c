/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with several CPUs for the tests of the core: everything real but
 * the processor. One thread plays all CPUs, or each thread plays one.
 */
#pragma once

#include "group.h"
#include "ravelin/domain.h"

/** A machine with `cpus` CPUs, 64 MiB of free RAM, clock at 1 s; CPU 0 is this
 * one. */
void core_machine_create(unsigned cpus);
/** Everything must have been given back. */
void core_machine_destroy(void);
/** The same as set-up and tear-down of a case, with two CPUs. */
int core_pair_setup(void **state);
int core_teardown(void **state);

/** This thread is CPU `id` from now on. */
struct cpu *core_cpu(unsigned id);

/** One turn of the CPU loop on CPU `id`, without running a guest: timers that
 * are due, work, scheduling. Returns who would run. */
struct vcpu *core_turn(unsigned id);
/** Turns on all CPUs until nothing is deferred or queued any more. */
void core_settle(void);

/** A domain in BUILDING, paused, with default settings. */
struct domain *core_domain(unsigned vcpus);
struct domain *core_domain_with(unsigned vcpus, uint32_t roles, uint32_t weight,
                                uint64_t affinity);
/** The same with all vCPUs up and running. */
struct domain *core_domain_running(unsigned vcpus);
void core_domain_start(struct domain *d);
/** Destroys it and waits until it is gone. */
void core_domain_destroy(struct domain *d);
