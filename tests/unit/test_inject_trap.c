/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injected traps: what is accepted, how it is delivered, and what becomes of it
 * when another event is on its way.
 */
#include "fixture.h"

#include "monitor_internal.h"
#include "ravelin/errno.h"
#include "ravelin/inject_trap.h"
#include "ravelin/vmexit.h"

#define IDT 0x6000u
#define TABLES 0x20000u
#define NO_ERROR 0xffffffffu

static struct domain *d;
static struct vcpu *v;

static int machine_setup(void **state)
{
    struct vcpu_segment idt = {.limit = 0xfff, .base = IDT};
    struct vcpu_segment cs = {.selector = 8, .attr = 0xa9b, .limit = ~0u};
    struct fixture_tables tables;

    (void)state;
    fixture_machine_create(1, FIXTURE_MIB(16));
    d = fixture_domain_create(FIXTURE_DOMID, 1, 64, 64);
    v = d->vcpu[0];
    fixture_identity_map(&tables, v, TABLES, FIXTURE_MIB(2));
    hv->segment_set(v, SEG_IDTR, &idt);
    hv->segment_set(v, SEG_CS, &cs);
    v->regs.rip = 0x4000;
    v->regs.rflags = 2;
    return 0;
}

static int machine_teardown(void **state)
{
    (void)state;
    monitor_free(d);
    fixture_domain_destroy(d);
    fixture_machine_destroy();
    return 0;
}

static int inject(unsigned vector, uint32_t error)
{
    struct trap_request req = {
        .vector = (uint8_t)vector,
        .has_error = error != NO_ERROR,
        .error = error,
        .cr2 = 0x5000,
    };

    return trap_inject(v, &req);
}

static void inject_vectors_and_error_codes_are_checked(void **state)
{
    static const uint8_t plain[] = {0, 1, 3, 4, 5, 6, 7, 16, 19, 20, 28};
    static const uint8_t coded[] = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30};
    static const uint8_t never[] = {2,  9,  15, 18, 22, 23,
                                    25, 26, 27, 31, 32, 255};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        assert_int_equal(inject(plain[i], 0), -RV_EINVAL);
        assert_int_equal(inject(plain[i], NO_ERROR), 0);
        monitor_inject_attend(v);
        v->pending.valid = false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(coded); i++) {
        assert_int_equal(inject(coded[i], NO_ERROR), -RV_EINVAL);
        assert_int_equal(inject(coded[i], 0x10000), -RV_EINVAL);
        assert_int_equal(inject(coded[i], 0xffff), 0);
        monitor_inject_attend(v);
        v->pending.valid = false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
        assert_int_equal(inject(never[i], NO_ERROR), -RV_EINVAL);
        assert_int_equal(inject(never[i], 0), -RV_EINVAL);
    }
}

static void inject_second_waits_for_the_first(void **state)
{
    (void)state;
    assert_int_equal(inject(6, NO_ERROR), 0);
    assert_true(v->watch_due);
    assert_int_equal(inject(13, 0), -RV_EBUSY);
    monitor_inject_attend(v);
    assert_int_equal(v->pending.vector, 6);
    v->pending.valid = false;
    assert_int_equal(inject(13, 0), 0);
    monitor_inject_attend(v);
    assert_int_equal(v->pending.vector, 13);
    monitor_inject_attend(v);
}

static void inject_page_fault_brings_its_address(void **state)
{
    (void)state;
    assert_int_equal(inject(14, 7), 0);
    monitor_inject_attend(v);
    assert_true(v->pending.valid);
    assert_int_equal(v->pending.type, EVENT_EXCEPTION);
    assert_int_equal(v->pending.error, 7);
    assert_int_equal(v->pending.cr2, 0x5000);
    assert_int_equal(v->pending.insn_len, 0);
}

static void inject_int3_and_into_are_software_exceptions(void **state)
{
    static const uint8_t vectors[] = {3, 4};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        assert_int_equal(inject(vectors[i], NO_ERROR), 0);
        monitor_inject_attend(v);
        assert_int_equal(v->pending.vector, vectors[i]);
        assert_int_equal(v->pending.type, EVENT_SOFT_EXC);
        assert_int_equal(v->pending.insn_len, 1);
        v->pending.valid = false;
    }
}

/* At user level the gate must let INT3 in, as if the guest had executed it. */
static void inject_int3_asks_the_gates_privilege(void **state)
{
    struct fake_vcpu *fv = v->arch;
    uint8_t type = 0x8e;

    (void)state;
    fv->cpl = 3;
    fixture_phys_put(d, IDT + 3 * 16 + 5, &type, 1);
    assert_int_equal(inject(3, NO_ERROR), 0);
    monitor_inject_attend(v);
    assert_int_equal(v->pending.vector, 13);
    assert_int_equal(v->pending.error, 3 * 8 + 2);
    v->pending.valid = false;
    type = 0xee;
    fixture_phys_put(d, IDT + 3 * 16 + 5, &type, 1);
    assert_int_equal(inject(3, NO_ERROR), 0);
    monitor_inject_attend(v);
    assert_int_equal(v->pending.vector, 3);
}

struct pair {
    uint8_t first, first_type, second;
    uint32_t error;
    enum vcpu_collision outcome;
    uint8_t left; /* vector that is delivered */
};

/* Ref: Intel SDM Vol 3A, table 6-5; AMD APM Vol 2, 8.2.9. */
static const struct pair pairs[] = {
    {6, EVENT_EXCEPTION, 13, 0, COLLISION_BENIGN, 13},
    {6, EVENT_EXCEPTION, 14, 0, COLLISION_BENIGN, 14},
    {6, EVENT_EXCEPTION, 7, NO_ERROR, COLLISION_BENIGN, 7},
    {13, EVENT_EXCEPTION, 6, NO_ERROR, COLLISION_BENIGN, 6},
    {13, EVENT_EXCEPTION, 14, 0, COLLISION_BENIGN, 14},
    {13, EVENT_EXCEPTION, 13, 0, COLLISION_DOUBLE, 8},
    {0, EVENT_EXCEPTION, 12, 0, COLLISION_DOUBLE, 8},
    {21, EVENT_EXCEPTION, 11, 0, COLLISION_DOUBLE, 8},
    {14, EVENT_EXCEPTION, 14, 0, COLLISION_DOUBLE, 8},
    {14, EVENT_EXCEPTION, 10, 0, COLLISION_DOUBLE, 8},
    {14, EVENT_EXCEPTION, 6, NO_ERROR, COLLISION_BENIGN, 6},
    {14, EVENT_EXCEPTION, 3, NO_ERROR, COLLISION_BENIGN, 3},
    {8, EVENT_EXCEPTION, 13, 0, COLLISION_TRIPLE, 8},
    {8, EVENT_EXCEPTION, 14, 0, COLLISION_TRIPLE, 8},
    {8, EVENT_EXCEPTION, 6, NO_ERROR, COLLISION_BENIGN, 6},
    {0x80, EVENT_EXTINT, 13, 0, COLLISION_BENIGN, 13},
    {2, EVENT_NMI, 14, 0, COLLISION_BENIGN, 14},
    {3, EVENT_SOFT_EXC, 13, 0, COLLISION_BENIGN, 13},
    {0x60, EVENT_SOFT_INT, 14, 0, COLLISION_BENIGN, 14},
};

static void event_try_collisions_follow_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct pair *p = &pairs[i];
        struct vcpu_event first = {
            .valid = true, .vector = p->first, .type = p->first_type};
        struct vcpu_event second = {
            .valid = true,
            .vector = p->second,
            .type = EVENT_EXCEPTION,
            .has_error = p->error != NO_ERROR,
        };
        uint8_t other = 0xee;

        hv->event_inject(v, &first);
        assert_int_equal(vcpu_event_try(v, &second, &other), p->outcome);
        assert_int_equal(other, p->first);
        assert_true(v->pending.valid);
        assert_int_equal(v->pending.vector, p->left);
        assert_false(hv->event_is_queued(v));
        assert_false(d->crash_reported);
        v->pending.valid = false;
    }
}

static void event_try_displaced_interrupts_come_later(void **state)
{
    struct vcpu_event irq = {
        .valid = true, .vector = 0x80, .type = EVENT_EXTINT};
    struct vcpu_event nmi = {.valid = true, .vector = 2, .type = EVENT_NMI};
    struct vcpu_event ud = {
        .valid = true, .vector = 6, .type = EVENT_EXCEPTION};
    uint8_t other;

    (void)state;
    hv->event_inject(v, &irq);
    assert_int_equal(vcpu_event_try(v, &ud, &other), COLLISION_BENIGN);
    assert_true(v->displaced.valid);
    assert_int_equal(v->displaced.vector, 0x80);
    v->pending.valid = false;
    hv->event_inject(v, &nmi);
    assert_int_equal(vcpu_event_try(v, &ud, &other), COLLISION_BENIGN);
    assert_true(v->nmi_pending);
    v->pending.valid = false;
    assert_int_equal(vcpu_event_try(v, &ud, &other), COLLISION_NONE);
    assert_int_equal(other, 0);
}

static void soft_event_inject_carries_its_length(void **state)
{
    (void)state;
    vcpu_soft_event_inject(v, 0x60, EVENT_SOFT_INT, 2);
    assert_int_equal(v->pending.vector, 0x60);
    assert_int_equal(v->pending.type, EVENT_SOFT_INT);
    assert_int_equal(v->pending.insn_len, 2);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(inject_vectors_and_error_codes_are_checked),
        TEST(inject_second_waits_for_the_first),
        TEST(inject_page_fault_brings_its_address),
        TEST(inject_int3_and_into_are_software_exceptions),
        TEST(inject_int3_asks_the_gates_privilege),
        TEST(event_try_collisions_follow_the_table),
        TEST(event_try_displaced_interrupts_come_later),
        TEST(soft_event_inject_carries_its_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
