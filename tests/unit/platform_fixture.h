/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains for the tests of the virtual platform: created through the real life
 * cycle over the fake backend, with a made-up processor behind CPUID and a
 * clock that only the test moves.
 */
#pragma once

#include "core_fixture.h"

#include "arch/host.h"
#include "fake.h"
#include "ravelin/domain.h"
#include "ravelin/sched.h"
#include "ravelin/timer.h"

#include "platform_cpuid.h"

/** Group set-up and tear-down: a machine with one CPU. */
static inline int platform_setup(void **state)
{
    (void)state;
    core_machine_create(1);
    return 0;
}
static inline int platform_teardown(void **state)
{
    return core_teardown(state);
}

/** The same with the made-up AMD processor. */
static inline int platform_amd_setup(void **state)
{
    int rc = platform_setup(state);

    platform_cpuid_use(CPUID_VENDOR_AMD);
    return rc;
}

/** A new domain in BUILDING with that many vCPUs, all of them down. */
static inline struct domain *platform_domain(unsigned vcpus, uint32_t roles)
{
    return core_domain_with(vcpus, roles, 0, 0);
}
static inline void platform_domain_destroy(struct domain *d)
{
    core_domain_destroy(d);
}

/** As a running guest's vCPU, although the domain stays paused. */
static inline void platform_vcpu_up(struct vcpu *v)
{
    vcpu_flags_clear(v, VCPU_DOWN);
}

static inline uint64_t platform_time(void)
{
    return arch_time_ns();
}
/** Moves the clock to `ns` and runs the timers that are due. */
static inline void platform_time_set(uint64_t ns)
{
    fake_time_advance(ns - arch_time_ns());
    timers_run();
}
