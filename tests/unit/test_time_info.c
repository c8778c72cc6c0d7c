/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest time: the formula against the host's clock, the version protocol, wall
 * clock in both layouts, the guest's timers and the runstate area.
 */

#include "core_fixture.h"

#include <string.h>

#include "arch/host.h"
#include "fake.h"
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"
#include "ravelin/time_info.h"

#define MS 1000000UL
#define S 1000000000UL

static struct domain *d;

static int machine_up(void **state)
{
    (void)state;
    core_machine_create(1);
    fake_time_advance(12345678901UL);
    d = core_domain_running(2);
    core_turn(0);
    return 0;
}

static int machine_down(void **state)
{
    (void)state;
    core_domain_destroy(d);
    core_machine_destroy();
    return 0;
}

static struct vcpu_time_info *time_of(unsigned vcpu)
{
    struct vcpu_info *info = d->vcpu[vcpu]->vcpu_info;

    return &info->time;
}

/* The formula of the public header, as a guest computes it. */
static uint64_t guest_ns(const struct vcpu_time_info *t, uint64_t tsc)
{
    uint64_t delta = tsc - t->tsc_timestamp;

    delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
    return t->system_time +
           (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
}

static uint64_t guest_tsc(unsigned vcpu)
{
    return arch_tsc_read() + fake_vcpu(d->vcpu[vcpu])->tsc_offset;
}

static void vcpu_time_guest_formula_gives_system_time(void **state)
{
    (void)state;
    for (unsigned step = 0; step < 50; step++) {
        uint64_t real = arch_time_ns() - d->boot_time_ns;

        for (unsigned v = 0; v < 2; v++) {
            uint64_t ns = guest_ns(time_of(v), guest_tsc(v));

            /* The factor has 31 significant bits at least. */
            assert_in_range(real + 1 - ns, 0, 3 + (real >> 30));
        }
        assert_int_equal(guest_ns(time_of(0), guest_tsc(0)),
                         guest_ns(time_of(1), guest_tsc(1)));
        fake_time_advance(3 * S + 1234567);
    }
    assert_int_equal(time_of(0)->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
}

static void vcpu_time_starts_at_zero(void **state)
{
    (void)state;
    assert_int_equal(time_of(0)->tsc_timestamp, 0);
    assert_int_equal(time_of(0)->system_time, 0);
    assert_int_equal(guest_tsc(0), 0);
    assert_int_equal(domain_time_ns(d), 0);
    assert_int_equal(domain_time_to_host(d, 0), d->boot_time_ns);
    assert_int_equal(domain_time_to_host(d, UINT64_MAX - 5), TIMER_NEVER);
}

static void vcpu_time_publish_version_is_even_and_grows(void **state)
{
    (void)state;
    uint32_t version = time_of(0)->version;

    assert_int_equal(version % 2, 0);
    vcpu_time_publish(d->vcpu[0]);
    assert_int_equal(time_of(0)->version, version + 2);
}

static void time_scale_is_normalised(void **state)
{
    (void)state;
    uint32_t mul;
    int8_t shift;

    time_scale_get(&mul, &shift);
    assert_true(mul >= 0x80000000u);
    /* 3 GHz: a third of a ns per tick = 2/3 * 2^-1. */
    assert_int_equal(shift, -1);
    assert_in_range(mul, 2863311529u, 2863311531u);
}

static void domain_wallclock_publish_writes_both_layouts(void **state)
{
    (void)state;
    struct shared_info *wide = d->shared_info;
    struct compat_shared_info *narrow = d->shared_info;
    uint64_t ns = d->boot_time_ns;

    assert_int_equal(wide->wc_version % 2, 0);
    assert_int_equal(wide->wc_sec, FAKE_WALLCLOCK_S + ns / S);
    assert_int_equal(wide->wc_nsec, ns % S);
    assert_int_equal(wide->wc_sec_hi, 0);
    d->is_32bit_abi = true;
    domain_time_republish(d);
    assert_int_equal(narrow->wc_sec, FAKE_WALLCLOCK_S + ns / S);
    assert_int_equal(narrow->wc_nsec, ns % S);
    assert_int_equal(narrow->arch.wc_sec_hi, 0);
    assert_int_equal(narrow->vcpu_info[1].time.flags,
                     XEN_PVCLOCK_TSC_STABLE_BIT);
}

/* ---- Timers ---- */

static evtchn_port_t timer_port(unsigned vcpu)
{
    evtchn_port_t port;

    assert_int_equal(evtchn_bind_virq(d, VIRQ_TIMER, vcpu, &port), 0);
    return port;
}

/* Did the timer tick since the last look? */
static bool ticked(evtchn_port_t port)
{
    struct shared_info *s = d->shared_info;
    bool was = evtchn_port_is_pending(d, port);

    memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
    memset(&s->vcpu_info[0].evtchn_pending_sel, 0, 8);
    memset(&s->vcpu_info[1].evtchn_pending_sel, 0, 8);
    return was;
}

static void vcpu_singleshot_fires_once_at_guest_time(void **state)
{
    (void)state;
    evtchn_port_t port = timer_port(1);

    vcpu_singleshot_set(d->vcpu[1], 5 * MS);
    fake_time_advance(5 * MS - 1);
    core_turn(0);
    assert_false(ticked(port));
    fake_time_advance(1);
    core_turn(0);
    assert_true(ticked(port));
    fake_time_advance(50 * MS);
    core_turn(0);
    assert_false(ticked(port));
}

static void vcpu_singleshot_stop_disarms(void **state)
{
    (void)state;
    evtchn_port_t port = timer_port(0);

    vcpu_singleshot_set(d->vcpu[0], 5 * MS);
    vcpu_singleshot_stop(d->vcpu[0]);
    fake_time_advance(10 * MS);
    core_turn(0);
    assert_false(ticked(port));
    vcpu_singleshot_set(d->vcpu[0], UINT64_MAX - 3); /* saturates */
    assert_false(timer_is_armed(&d->vcpu[0]->singleshot));
}

static void vcpu_singleshot_wakes_blocked_vcpu(void **state)
{
    (void)state;
    struct vcpu *v = this_cpu()->current;

    (void)timer_port(v->id);
    domain_pause(d); /* only v matters */
    assert_int_equal(domain_unpause(d), 0);
    vcpu_singleshot_set(v, 5 * MS);
    vcpu_block(v);
    core_turn(0);
    assert_int_equal(v->flags, VCPU_BLOCKED);
    fake_time_advance(5 * MS);
    core_turn(0);
    assert_int_equal(v->flags, 0);
}

static void vcpu_periodic_keeps_its_phase(void **state)
{
    (void)state;
    evtchn_port_t port = timer_port(0);
    unsigned ticks = 0;

    assert_int_equal(vcpu_periodic_set(d->vcpu[0], 10 * MS), 0);
    for (unsigned ms = 1; ms <= 100; ms++) {
        fake_time_advance(1 * MS);
        core_turn(0);
        if (ticked(port)) {
            assert_int_equal(ms % 10, 0);
            ticks++;
        }
    }
    assert_int_equal(ticks, 10);
    fake_time_advance(35 * MS); /* nobody looked: one tick, not three */
    core_turn(0);
    assert_true(ticked(port));
    core_turn(0);
    assert_false(ticked(port));
    fake_time_advance(5 * MS);
    core_turn(0);
    assert_true(ticked(port));
    assert_int_equal(vcpu_periodic_set(d->vcpu[0], 0), 0);
    fake_time_advance(20 * MS);
    core_turn(0);
    assert_false(ticked(port));
}

static void vcpu_periodic_set_too_short_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(vcpu_periodic_set(d->vcpu[0], 999999), -RV_EINVAL);
    assert_int_equal(vcpu_periodic_set(d->vcpu[0], UINT64_MAX), -RV_EINVAL);
    assert_false(timer_is_armed(&d->vcpu[0]->periodic));
    assert_int_equal(vcpu_periodic_set(d->vcpu[0], VCPU_PERIOD_MIN_NS), 0);
}

/* ---- Areas in guest memory ---- */

/* Guest memory at guest-physical and, without paging, linear 0x3000. */
static char *guest_page(void)
{
    struct p2m_locked held = p2m_lock(&d->p2m);
    mfn_t m;

    assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
    assert_int_equal(p2m_map(held, gfn(3), m, 0, P2M_RAM, 7), 0);
    p2m_unlock(&held);
    return host_ptr(mfn_to_hpa(m));
}

static void vcpu_runstate_publish_writes_both_layouts(void **state)
{
    (void)state;
    struct vcpu *v = this_cpu()->current;
    char *page = guest_page();
    struct vcpu_runstate_info *wide = (void *)(page + 64);
    struct compat_vcpu_runstate_info *narrow = (void *)(page + 256);
    uint64_t entry = domain_time_ns(d);

    v->runstate_gva = gva(0x3040);
    vcpu_runstate_publish(v);
    assert_int_equal(wide->state, RUNSTATE_running);
    assert_int_equal(wide->state_entry_time, entry);
    d->runstate_update_flag = true;
    vcpu_runstate_publish(v);
    assert_int_equal(wide->state_entry_time, entry); /* flag gone again */
    d->is_32bit_abi = true;
    v->runstate_gva = gva(0x3100);
    vcpu_runstate_publish(v);
    assert_int_equal(narrow->state, RUNSTATE_running);
    assert_int_equal(narrow->time[RUNSTATE_blocked], 0);
}

static void sched_pick_switching_in_publishes_runstate(void **state)
{
    (void)state;
    struct vcpu *v = this_cpu()->current;
    struct vcpu *other = v == d->vcpu[0] ? d->vcpu[1] : d->vcpu[0];
    char *page = guest_page();
    struct vcpu_runstate_info *area = (void *)page;

    other->runstate_gva = gva(0x3000);
    memset(page, 0xff, 64);
    fake_time_advance(4 * MS);
    vcpu_block(v);
    assert_ptr_equal(core_turn(0), other);
    assert_int_equal(area->state, RUNSTATE_running);
    assert_int_equal(area->time[RUNSTATE_runnable], 4 * MS);
}

static void vcpu_time_publish_writes_second_area(void **state)
{
    (void)state;
    struct vcpu *v = this_cpu()->current;
    struct vcpu_time_info *area = (void *)guest_page();

    v->time_gva = gva(0x3000);
    vcpu_time_publish(v);
    assert_memory_equal(area, time_of(v->id), sizeof(*area));
    assert_true(area->version != 0 && area->version % 2 == 0);
    v->time_gva = gva(0x777000); /* nothing there: no harm */
    vcpu_time_publish(v);
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, machine_up, machine_down)
    const struct CMUnitTest tests[] = {
        CASE(vcpu_time_guest_formula_gives_system_time),
        CASE(vcpu_time_starts_at_zero),
        CASE(vcpu_time_publish_version_is_even_and_grows),
        CASE(time_scale_is_normalised),
        CASE(domain_wallclock_publish_writes_both_layouts),
        CASE(vcpu_singleshot_fires_once_at_guest_time),
        CASE(vcpu_singleshot_stop_disarms),
        CASE(vcpu_singleshot_wakes_blocked_vcpu),
        CASE(vcpu_periodic_keeps_its_phase),
        CASE(vcpu_periodic_set_too_short_returns_einval),
        CASE(vcpu_runstate_publish_writes_both_layouts),
        CASE(sched_pick_switching_in_publishes_runstate),
        CASE(vcpu_time_publish_writes_second_area),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
