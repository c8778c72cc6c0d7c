/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See core_fixture.h.
 */

#include "core_fixture.h"

#include <string.h>

#include "arch/host.h"
#include "fake.h"
#include "ravelin/cpuid_policy.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/quiesce.h"
#include "ravelin/sched.h"
#include "ravelin/timer.h"

#define RAM_BYTES (64UL << 20)
#define TURNS_MAX 10000u

static struct cpu cpus[CPU_COUNT_MAX];
static uint64_t free_at_start;

/* A processor with the least a policy can be made of. */
static void cpuid_read(uint32_t leaf, uint32_t subleaf rv_unused,
                       uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(out[0]));
    if (leaf == 0) {
        out[0] = 0xd;
        memcpy(&out[1], "Auth", 4);
        memcpy(&out[3], "enti", 4);
        memcpy(&out[2], "cAMD", 4);
    } else if (leaf == 0x80000000u) {
        out[0] = 0x80000008u;
    } else if (leaf == 0x80000008u) {
        out[0] = 0x3030;
    }
}

static void cpu_create(unsigned id)
{
    struct cpu *c = &cpus[id];

    memset(c, 0, sizeof(*c));
    c->self = c;
    c->id = id;
    c->online = true;
    cpu_register(c);
    fake_this_cpu = c;
    assert_int_equal(timer_cpu_init(c), 0);
    assert_int_equal(sched_cpu_init(c), 0);
}

void core_machine_create(unsigned count)
{
    fake_machine_reset();
    fake_ram_create(RAM_BYTES);
    assert_int_equal(
        frame_pool_init(mfn(RAM_BYTES >> PAGE_SHIFT), fake_early_alloc), 0);
    frame_pool_add(mfn(0), RAM_BYTES >> PAGE_SHIFT);
    fake_time_advance(1000000000u);
    hv = &fake_backend;
    cpu_table_reset();
    for (unsigned i = 0; i < count; i++) {
        cpu_create(i);
    }
    fake_this_cpu = &cpus[0];
    cpuid_host_init(cpuid_read, 0, true);
    domain_last_end_set(MANIFEST_LAST_STAY);
    free_at_start = frame_free_count();
}

void core_machine_destroy(void)
{
    core_settle();
    assert_int_equal(domain_count(), 0);
    assert_int_equal(frame_free_count(), free_at_start);
    cpu_table_reset();
    fake_this_cpu = NULL;
    fake_ram_destroy();
}

int core_pair_setup(void **state)
{
    (void)state;
    core_machine_create(2);
    return 0;
}

int core_teardown(void **state)
{
    (void)state;
    core_machine_destroy();
    return 0;
}

struct cpu *core_cpu(unsigned id)
{
    fake_this_cpu = cpu_by_id(id);
    return fake_this_cpu;
}

struct vcpu *core_turn(unsigned id)
{
    struct cpu *c = core_cpu(id);

    quiesce_point();
    if (fake_timer_deadline(c) <= arch_time_ns()) {
        timers_run();
    }
    if (work_is_pending()) {
        work_run();
    }
    return sched_next(c);
}

void core_settle(void)
{
    struct cpu *self = this_cpu();
    unsigned left = TURNS_MAX;

    do {
        for (unsigned i = 0; i < cpu_count(); i++) {
            core_turn(i);
        }
        assert_int_not_equal(left--, 0);
    } while (quiesce_pending_count() != 0 || work_is_pending());
    fake_this_cpu = self;
}

struct domain *core_domain_with(unsigned vcpus, uint32_t roles, uint32_t weight,
                                uint64_t affinity)
{
    const struct domain_config cfg = {
        .id = DOMID_INVALID,
        .roles = roles,
        .vcpu_count = vcpus,
        .max_pages = 1024,
        .weight = weight,
        .affinity = affinity,
    };
    struct domain *d = NULL;

    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_non_null(d);
    return d;
}

struct domain *core_domain(unsigned vcpus)
{
    return core_domain_with(vcpus, 0, 0, 0);
}

void core_domain_start(struct domain *d)
{
    for (unsigned i = 0; i < d->vcpu_count; i++) {
        if (!vcpu_is_up(d->vcpu[i])) {
            assert_int_equal(vcpu_up(d->vcpu[i]), 0);
        }
    }
    assert_int_equal(domain_unpause(d), 0);
}

struct domain *core_domain_running(unsigned vcpus)
{
    struct domain *d = core_domain(vcpus);

    core_domain_start(d);
    return d;
}

void core_domain_destroy(struct domain *d)
{
    unsigned left = TURNS_MAX;
    int rc;

    while ((rc = domain_destroy(d)) == -RV_ERESTART) {
        core_settle();
        assert_int_not_equal(left--, 0);
    }
    assert_int_equal(rc, 0);
    core_settle();
}
