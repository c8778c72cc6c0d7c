/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's console: the ring from both sides, a line that does not take
 * everything, hostile indices, life and death.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "arch_inline.h"
#include "public/hvm/params.h"
#include "public/io/console.h"
#include "ravelin/console.h"
#include "ravelin/evtchn.h"
#include "ravelin/frame_pool.h"
#include "ravelin/vconsole.h"

#define RING_GFN (HC_FREE >> PAGE_SHIFT)
#define OUT_SIZE 2048u
#define IN_SIZE 1024u

static struct domain *guest(void)
{
    return hc_domain[HC_PLAIN];
}

/* The guest's view of its page. */
static volatile struct xencons_interface *ring(void)
{
    mfn_t m = p2m_lookup(&guest()->p2m, gfn(RING_GFN)).mfn;

    return host_ptr(mfn_to_hpa(m));
}

static evtchn_port_t port(void)
{
    return (evtchn_port_t)guest()->hvm_param[HVM_PARAM_CONSOLE_EVTCHN];
}

static void guest_writes(const char *text)
{
    volatile struct xencons_interface *r = ring();
    uint32_t prod = r->out_prod;

    for (; *text; text++) {
        r->out[prod++ % OUT_SIZE] = *text;
    }
    r->out_prod = prod;
}

/* As the event channel hypercall does it, from the guest's own vCPU. */
static void guest_notifies(void)
{
    struct {
        uint32_t port;
    } s = {port()};

    assert_int_equal(
        hc(HC_PLAIN, __HYPERVISOR_event_channel_op, 4, &s, sizeof(s)), 0);
}

static unsigned channel(void)
{
    return console_channel_of_domain(guest()->id);
}

static void pending_clear(void)
{
    struct shared_info *info = guest()->shared_info;

    info->evtchn_pending[port() / 64] &= ~(1ULL << port() % 64);
}

static void create_twice_returns_eexist(void **state)
{
    (void)state;
    assert_int_equal(vconsole_create(guest()), -RV_EEXIST);
}

static void attach_without_memory_or_console_is_refused(void **state)
{
    struct domain_config cfg = {.id = 60, .vcpu_count = 1};
    struct domain *d;

    (void)state;
    assert_int_equal(vconsole_ring_attach(guest(), gfn(HC_HOLE >> PAGE_SHIFT)),
                     -RV_EINVAL);
    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_int_equal(vconsole_ring_attach(d, gfn(0)), -RV_ENODEV);
    hc_alloc_fail();
    assert_int_equal(vconsole_create(d), -RV_ENOMEM);
    hc_alloc_heal();
    assert_null(d->console);
    assert_int_equal(vconsole_write(d, "lost", 4), 4);
    while (domain_destroy(d) != 0) {
        fixture_quiesce();
    }
    fixture_quiesce();
}

static void attach_sets_parameters_once(void **state)
{
    mfn_t m = p2m_lookup(&guest()->p2m, gfn(RING_GFN)).mfn;

    (void)state;
    ring()->out_prod = 77;
    assert_int_equal(vconsole_ring_attach(guest(), gfn(RING_GFN)), 0);
    assert_int_equal(guest()->hvm_param[HVM_PARAM_CONSOLE_PFN], RING_GFN);
    assert_true(port() != 0);
    assert_int_equal(ring()->out_prod, 0);
    assert_int_equal(frame_ref_count(m), 2);
    assert_int_equal(vconsole_ring_attach(guest(), gfn(RING_GFN)), -RV_EEXIST);
    assert_int_equal(frame_ref_count(m), 2);
}

static void output_goes_to_the_line(void **state)
{
    (void)state;
    fixture_console_clear();
    guest_writes("ring says hello\n");
    guest_notifies();
    assert_non_null(strstr(fixture_console_text(), "ring says hello"));
    assert_int_equal(ring()->out_cons, ring()->out_prod);
    assert_true(evtchn_port_is_pending(guest(), port()));
    pending_clear();
    guest_notifies(); /* nothing new: no event */
    assert_false(evtchn_port_is_pending(guest(), port()));
}

static void output_wraps_around_the_ring(void **state)
{
    char line[101];

    (void)state;
    memset(line, 'w', sizeof(line) - 2);
    line[99] = '\n';
    line[100] = '\0';
    for (unsigned i = 0; i < 100; i++) {
        guest_writes(line);
        guest_notifies();
        assert_int_equal(ring()->out_cons, ring()->out_prod);
    }
    assert_true(ring()->out_prod > 4 * OUT_SIZE);
}

/* Whatever the indices say, at most one ring of bytes is taken. */
static void output_nonsense_indices_hurt_the_guest_only(void **state)
{
    static const uint32_t jumps[] = {OUT_SIZE + 1, 0x80000000u, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
        fixture_console_clear();
        ring()->out_prod += jumps[i];
        ring()->out_cons = 0x12345678; /* ours: never read back */
        guest_notifies();
        assert_int_equal(ring()->out_cons, ring()->out_prod);
        assert_true(strlen(fixture_console_text()) <= 4 * OUT_SIZE);
    }
    guest_writes("alive\n");
    fixture_console_clear();
    guest_notifies();
    assert_non_null(strstr(fixture_console_text(), "alive"));
}

static void input_goes_into_the_ring(void **state)
{
    char got[6] = "";

    (void)state;
    pending_clear();
    vconsole_input(channel(), "input", 5);
    assert_int_equal(ring()->in_prod, 5);
    assert_true(evtchn_port_is_pending(guest(), port()));
    for (unsigned i = 0; i < 5; i++) {
        got[i] = ring()->in[i];
    }
    assert_string_equal(got, "input");
    ring()->in_cons = 5;
}

/* A full ring: the rest waits, up to a bound, and follows when room is made. */
static void input_that_does_not_fit_waits(void **state)
{
    static char text[3000];
    uint32_t start = ring()->in_prod;

    (void)state;
    memset(text, 'i', sizeof(text));
    vconsole_input(channel(), text, sizeof(text));
    assert_int_equal(ring()->in_prod - start, 1024);
    vconsole_input(channel(), text, sizeof(text));
    assert_int_equal(ring()->in_prod - start, IN_SIZE);
    ring()->in_cons += IN_SIZE;
    guest_notifies();
    assert_int_equal(ring()->in_prod - start, 2 * IN_SIZE);
    ring()->in_cons += IN_SIZE;
    guest_notifies();
    assert_int_equal(ring()->in_prod - start, 2 * IN_SIZE);
}

static void input_nonsense_index_means_no_room(void **state)
{
    uint32_t prod = ring()->in_prod;
    char byte;

    (void)state;
    ring()->in_cons = prod + 1;
    vconsole_input(channel(), "x", 1);
    assert_int_equal(ring()->in_prod, prod);
    assert_int_equal(vconsole_read(guest(), &byte, 1), 1);
    ring()->in_cons = prod;
}

static void input_for_nobody_is_dropped(void **state)
{
    uint32_t prod = ring()->in_prod;
    char byte;

    (void)state;
    vconsole_input(CONSOLE_CHANNEL_LOG, "x", 1);
    vconsole_input(console_channel_of_domain(99), "x", 1);
    vconsole_input(UINT32_MAX, "x", 1);
    vconsole_input(0x10000 + channel(), "x", 1);
    assert_int_equal(ring()->in_prod, prod);
    assert_int_equal(vconsole_read(guest(), &byte, 1), 0);
}

/* A domain without a ring keeps its input for console_io. */
static void input_without_ring_raises_virq_console(void **state)
{
    struct domain *d = hc_domain[HC_HARDWARE];
    evtchn_port_t virq;
    char buf[8];

    (void)state;
    assert_int_equal(evtchn_bind_virq(d, VIRQ_CONSOLE, 0, &virq), 0);
    vconsole_input(console_channel_of_domain(d->id), "abc", 3);
    assert_true(evtchn_port_is_pending(d, virq));
    assert_int_equal(vconsole_read(d, buf, sizeof(buf)), 3);
    assert_memory_equal(buf, "abc", 3);
    assert_int_equal(evtchn_close(d, virq), 0);
}

static void poll_has_nothing_to_do(void **state)
{
    (void)state;
    guest_writes("not announced");
    vconsole_poll();
    assert_int_not_equal(ring()->out_cons, ring()->out_prod);
    guest_notifies();
}

/* A line that takes nothing: ring output waits for vconsole_poll(), console_io
 * output is dropped once the line has been dead for a while. */
static void line_that_is_stuck_holds_up_nobody(void **state)
{
    static char text[1500];

    (void)state;
    console_channel_close(channel());
    for (unsigned i = 0; i < sizeof(text) - 1; i++) {
        text[i] = i % 64 == 63 ? '\n' : 's';
    }
    text[sizeof(text) - 1] = '\0';
    guest_writes(text);
    guest_notifies();
    assert_true(ring()->out_prod - ring()->out_cons >= sizeof(text) - 1);
    fake_time_advance(1);
    assert_int_equal(vconsole_write(guest(), text, 10), 0);
    /* From a CPU whose clock is a little behind. */
    fake_time_advance(-1ULL);
    assert_int_equal(vconsole_write(guest(), text, 10), 0);
    fake_time_advance(500000000);
    assert_int_equal(vconsole_write(guest(), text, 10), 0);
    fake_time_advance(600000000);
    assert_int_equal(vconsole_write(guest(), text, 10), 10);
    fixture_console_clear();
    assert_int_equal(console_channel_open(channel(), "plain", true), 0);
    vconsole_poll();
    assert_int_equal(ring()->out_cons, ring()->out_prod);
    assert_non_null(strstr(fixture_console_text(), "ssss"));
    assert_int_equal(vconsole_write(guest(), text, 10), 10);
}

static void destroy_lets_go_of_the_page(void **state)
{
    mfn_t m = p2m_lookup(&guest()->p2m, gfn(RING_GFN)).mfn;

    (void)state;
    fixture_console_clear();
    guest_writes("last words\n");
    vconsole_destroy(guest());
    assert_null(guest()->console);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), 1);
    assert_non_null(strstr(fixture_console_text(), "last words"));
    vconsole_destroy(guest());
    vconsole_input(channel(), "x", 1);
    guest_notifies();
    assert_int_equal(vconsole_write(guest(), "x", 1), 1);
    assert_int_equal(vconsole_create(guest()), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_twice_returns_eexist),
        cmocka_unit_test(attach_without_memory_or_console_is_refused),
        cmocka_unit_test(attach_sets_parameters_once),
        cmocka_unit_test(output_goes_to_the_line),
        cmocka_unit_test(output_wraps_around_the_ring),
        cmocka_unit_test(output_nonsense_indices_hurt_the_guest_only),
        cmocka_unit_test(input_goes_into_the_ring),
        cmocka_unit_test(input_that_does_not_fit_waits),
        cmocka_unit_test(input_nonsense_index_means_no_room),
        cmocka_unit_test(input_for_nobody_is_dropped),
        cmocka_unit_test(input_without_ring_raises_virq_console),
        cmocka_unit_test(poll_has_nothing_to_do),
        cmocka_unit_test(line_that_is_stuck_holds_up_nobody),
        cmocka_unit_test(destroy_lets_go_of_the_page),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
