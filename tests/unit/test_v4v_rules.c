/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firewall: order, positions, wildcards, defaults, counters, explanations,
 * one direction at a time, and the rules that the manifest brings.
 */
#include "v4v_fixture.h"

#include <string.h>

#define LEN 4032u
#define ANY V4V_DOMID_ANY
#define BY_RULE 0xffffffffu

static struct domain *a, *b, *control;
static struct vt_ring ring;

static int setup(void **state)
{
    (void)state;
    vt_machine_create(1);
    a = vt_domain_plain(5);
    b = vt_domain_plain(6);
    control = vt_domain(&(struct vt_setup){.id = 3, .roles = ROLE_CONTROL});
    ring = vt_ring(b, 9, ANY, LEN);
    return 0;
}

static void add(domid_t src, uint32_t src_port, domid_t dst, uint32_t dst_port,
                bool accept, uint32_t position)
{
    struct v4vtables_rule r = vt_rule(src, src_port, dst, dst_port, accept);

    assert_int_equal(vt_rule_add(control, &r, position), 0);
}

/* Does a message from this port of `a` get through? */
static bool passes(uint32_t src_port, uint32_t port)
{
    long rc = vt_send(a, src_port, 6, port, 1, 16);

    if (rc == 16) {
        vt_expect(&ring, 5, src_port, 1, 16);
        return true;
    }
    assert_int_equal(rc, -RV_ECONNREFUSED);
    return false;
}

/* The whole table as its ports, "1 2 3": rules here differ by source port. */
static unsigned list(uint32_t start, uint32_t room, uint32_t *ports)
{
    struct v4vtables_list l = {.start_rule = start, .nb_rules = room};
    struct v4vtables_rule r;

    fixture_phys_put(control, VT_DATA, &l, sizeof(l));
    assert_int_equal(vt_op(control, V4VOP_tables_list, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(control, &l, VT_DATA, sizeof(l));
    for (uint32_t i = 0; i < l.nb_rules; i++) {
        fixture_phys_get(control, &r, VT_DATA + sizeof(l) + i * sizeof(r),
                         sizeof(r));
        ports[i] = r.src.port;
    }
    return l.nb_rules;
}

static void ports_are(unsigned n, uint32_t p1, uint32_t p2, uint32_t p3,
                      uint32_t p4)
{
    const uint32_t want[] = {p1, p2, p3, p4};
    uint32_t got[100];

    assert_int_equal(list(0, 100, got), n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(got[i], want[i]);
    }
}

static void rules_first_match_decides(void **state)
{
    (void)state;
    assert_true(passes(1, 9)); /* no rule: the default */
    add(5, 1, 6, 9, false, 0);
    add(5, 0, 6, 9, true, 0);
    add(5, 2, 6, 9, false, 0);
    assert_false(passes(1, 9));
    assert_true(passes(2, 9));
    add(ANY, 0, ANY, 0, false, 1);
    assert_false(passes(2, 9));
}

static void rules_wildcards_match_each_part(void **state)
{
    struct {
        domid_t src;
        uint32_t src_port;
        domid_t dst;
        uint32_t dst_port;
        bool hit;
    } cases[] = {
        {ANY, 0, ANY, 0, true},  {5, 0, ANY, 0, true},
        {4, 0, ANY, 0, false},   {ANY, 7, ANY, 0, true},
        {ANY, 8, ANY, 0, false}, {ANY, 0, 6, 0, true},
        {ANY, 0, 5, 0, false},   {ANY, 0, ANY, 9, true},
        {ANY, 0, ANY, 7, false}, {5, 7, 6, 9, true},
        {6, 9, 5, 7, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        add(cases[i].src, cases[i].src_port, cases[i].dst, cases[i].dst_port,
            false, 1);
        assert_int_equal(passes(7, 9), !cases[i].hit);
        assert_int_equal(vt_rule_del(control, NULL, 1), 0);
        assert_true(passes(7, 9));
    }
}

static void rules_default_deny_needs_a_rule(void **state)
{
    (void)state;
    v4v_default_set(false);
    assert_false(passes(1, 9));
    add(5, 0, 6, 9, true, 0);
    assert_true(passes(1, 9));
}

/* A rule is about one direction; the way back needs its own. */
static void rules_are_one_way(void **state)
{
    struct vt_ring back = vt_ring(a, 9, ANY, LEN);

    (void)state;
    v4v_default_set(false);
    add(5, 0, 6, 0, true, 0);
    assert_true(passes(1, 9));
    assert_int_equal(vt_send(b, 1, 5, 9, 1, 16), -RV_ECONNREFUSED);
    assert_int_equal(vt_ask(b, 5, 9, 16, NULL), 0);
    assert_int_equal(vt_tx(&back), 0);
}

static void rules_deny_oneself_too(void **state)
{
    struct vt_ring self = vt_ring(a, 9, ANY, LEN);

    (void)state;
    add(5, 0, 5, 0, false, 1);
    assert_int_equal(vt_send(a, 1, 5, 9, 1, 16), -RV_ECONNREFUSED);
    assert_int_equal(vt_tx(&self), 0);
}

/* ---- Positions -------------------------------------------------------------
 */

static void tables_positions_count_from_one_everywhere(void **state)
{
    uint32_t got[8];

    (void)state;
    add(1, 10, 1, 1, true, 1); /* 10 */
    add(1, 20, 1, 1, true, 1); /* 20 10 */
    add(1, 30, 1, 1, true, 2); /* 20 30 10 */
    add(1, 40, 1, 1, true, 0); /* 20 30 10 40 */
    ports_are(4, 20, 30, 10, 40);
    assert_int_equal(vt_rule_del(control, NULL, 1), 0);
    ports_are(3, 30, 10, 40, 0);
    add(1, 50, 1, 1, true, 99); /* past the end: at the end */
    ports_are(4, 30, 10, 40, 50);
    assert_int_equal(vt_rule_del(control, NULL, 3), 0);
    ports_are(3, 30, 10, 50, 0);
    assert_int_equal(list(2, 8, got), 2);
    assert_int_equal(got[0], 10);
    assert_int_equal(list(3, 8, got), 1);
    assert_int_equal(list(1, 2, got), 2);
    assert_int_equal(got[1], 10);
}

static void tables_del_out_of_range_is_enoent_and_deletes_nothing(void **state)
{
    (void)state;
    add(1, 10, 1, 1, true, 1);
    assert_int_equal(vt_rule_del(control, NULL, 0), -RV_ENOENT);
    assert_int_equal(vt_rule_del(control, NULL, 2), -RV_ENOENT);
    assert_int_equal(vt_rule_del(control, NULL, 0x7fffffff), -RV_ENOENT);
    assert_int_equal(vt_rule_del(control, NULL, 0xfffffffe), -RV_ENOENT);
    ports_are(1, 10, 0, 0, 0);
    assert_int_equal(vt_rule_del(control, NULL, 1), 0);
    ports_are(0, 0, 0, 0, 0);
}

static void tables_del_by_rule_wants_all_of_it_equal(void **state)
{
    struct v4vtables_rule r = vt_rule(5, 1, 6, 9, false);

    (void)state;
    add(5, 1, 6, 9, true, 0);
    assert_int_equal(vt_rule_del(control, &r, BY_RULE), -RV_ENOENT);
    add(5, 1, 6, 9, false, 0);
    add(5, 2, 6, 9, false, 0);
    assert_int_equal(vt_rule_del(control, &r, BY_RULE), 0);
    ports_are(2, 1, 2, 0, 0);
    assert_true(passes(1, 9));
    r.accept = 77; /* any value but 0 accepts */
    assert_int_equal(vt_rule_del(control, &r, BY_RULE), 0);
    ports_are(1, 2, 0, 0, 0);
}

static void tables_flush_deletes_everything(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        add(5, i, 6, 9, false, 0);
    }
    assert_int_equal(v4v_rule_count(), 300);
    assert_int_equal(vt_rule_del(control, NULL, BY_RULE), 0);
    assert_int_equal(v4v_rule_count(), 0);
    assert_true(passes(1, 9));
    assert_int_equal(vt_rule_del(control, NULL, BY_RULE), 0);
}

static void tables_list_past_the_end_is_empty(void **state)
{
    uint32_t got[4];

    (void)state;
    assert_int_equal(list(0, 4, got), 0);
    add(1, 10, 1, 1, true, 1);
    assert_int_equal(list(2, 4, got), 0);
    assert_int_equal(list(0xffffffff, 4, got), 0);
}

static void tables_list_of_many_rules_comes_in_pieces(void **state)
{
    static uint32_t got[1000];

    (void)state;
    for (uint32_t i = 0; i < 500; i++) {
        add(1, i + 1, 1, 1, true, 0);
    }
    assert_int_equal(list(0, 1000, got), 500);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(got[i], i + 1);
    }
    assert_int_equal(list(17, 33, got), 33);
    assert_int_equal(got[0], 17);
    assert_int_equal(got[32], 49);
}

static void tables_of_the_control_domain_only(void **state)
{
    struct v4vtables_rule r = vt_rule(5, 0, 6, 0, false);

    (void)state;
    for (unsigned op = V4VOP_tables_add; op <= V4VOP_config_get; op++) {
        fixture_phys_put(a, VT_ADDR, &r, sizeof(r));
        assert_int_equal(vt_op(a, op, VT_ADDR, 0, 1, 0), -RV_EPERM);
    }
    assert_int_equal(v4v_rule_count(), 0);
}

/* ---- Counters, explanations ------------------------------------------------
 */

static struct v4v_explain explain(uint32_t src_port, uint32_t dst_port)
{
    struct v4v_explain e = {.src = {.port = src_port, .domain = 5},
                            .dst = {.port = dst_port, .domain = 6}};

    fixture_phys_put(control, VT_DATA, &e, sizeof(e));
    assert_int_equal(vt_op(control, V4VOP_tables_explain, VT_DATA, 0, 0, 0), 0);
    fixture_phys_get(control, &e, VT_DATA, sizeof(e));
    return e;
}

static void explain_names_the_rule_that_decides(void **state)
{
    uint64_t before = explain(1, 9).hits;

    (void)state;
    assert_true(passes(1, 9));
    assert_int_equal(explain(1, 9).position, 0);
    assert_int_equal(explain(1, 9).accept, 1);
    assert_int_equal(explain(1, 9).hits, before + 1);
    add(5, 2, 6, 0, true, 0);
    add(5, 1, 6, 9, false, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_false(passes(1, 9));
    }
    assert_int_equal(explain(1, 9).position, 2);
    assert_int_equal(explain(1, 9).accept, 0);
    assert_int_equal(explain(1, 9).hits, 5);
    assert_int_equal(explain(2, 9).position, 1);
    assert_int_equal(explain(2, 9).hits, 0);
    assert_int_equal(explain(3, 9).position, 0);
}

static void counters_show_what_each_rule_decided(void **state)
{
    struct v4vtables_counters l = {.nb_rules = 8};
    struct v4vtables_counter r[2];

    (void)state;
    add(5, 2, 6, 0, true, 0);
    add(5, 1, 6, 9, false, 0);
    assert_true(passes(2, 9));
    assert_false(passes(1, 9));
    assert_false(passes(1, 9));
    fixture_phys_put(control, VT_DATA, &l, sizeof(l));
    assert_int_equal(vt_op(control, V4VOP_tables_counters, VT_DATA, 0, 0, 0),
                     0);
    fixture_phys_get(control, &l, VT_DATA, sizeof(l));
    fixture_phys_get(control, r, VT_DATA + sizeof(l), sizeof(r));
    assert_int_equal(l.nb_rules, 2);
    assert_int_equal(l.rule_count, 2);
    assert_int_equal(l.default_accept, 1);
    assert_int_equal(r[0].hits, 1);
    assert_int_equal(r[0].rule.accept, 1);
    assert_int_equal(r[1].hits, 2);
    assert_int_equal(r[1].rule.accept, 0);
    assert_int_equal(r[1].rule.src.port, 1);
}

/* ---- Notify
 * ------------------------------------------------------------------ */

/* Requests have no source port: what counts is whether any port may send. */
static void notify_sees_a_ring_if_some_port_may_send(void **state)
{
    (void)state;
    add(5, 1, 6, 9, false, 0);
    assert_int_not_equal(vt_ask(a, 6, 9, 1, NULL), 0);
    add(5, 0, 6, 9, false, 0);
    assert_int_equal(vt_ask(a, 6, 9, 1, NULL), 0);
    add(5, 1, 6, 9, true, 2); /* shadowed: port 1 is denied before */
    assert_int_equal(vt_ask(a, 6, 9, 1, NULL), 0);
    add(5, 2, 6, 9, true, 2);
    assert_int_not_equal(vt_ask(a, 6, 9, 1, NULL), 0);
}

static void notify_with_many_denied_ports_says_no_when_in_doubt(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 16; i++) {
        add(5, i, 6, 9, false, 0);
    }
    assert_int_not_equal(vt_ask(a, 6, 9, 1, NULL), 0);
    add(5, 17, 6, 9, false, 0);
    assert_int_equal(vt_ask(a, 6, 9, 1, NULL), 0);
    assert_true(passes(18, 9));
}

/* ---- The manifest
 * -------------------------------------------------------------- */

static void boot_takes_default_and_rules_from_the_manifest(void **state)
{
    static struct manifest m;
    uint32_t got[4];

    (void)state;
    manifest_init(&m);
    m.machine.v4v_default = MANIFEST_DENY;
    m.domain_count = 2;
    m.domain[0].domid = 6;
    m.domain[1].domid = 5;
    m.rule_count = 2;
    m.rule[0] = (struct manifest_rule_entry){{1, 13}, {0, 9}, MANIFEST_DENY};
    m.rule[1] = (struct manifest_rule_entry){
        {1, MANIFEST_ANY_PORT}, {0, 9}, MANIFEST_ACCEPT};
    v4v_boot(&m);
    assert_int_equal(list(0, 4, got), 2);
    assert_false(passes(13, 9));
    assert_true(passes(14, 9));
    assert_int_equal(vt_send(control, 1, 6, 9, 1, 1), -RV_ECONNREFUSED);
    m.rule[0].from.domain = MANIFEST_ANY_DOMAIN;
    m.rule_count = 1;
    v4v_rules_flush();
    v4v_boot(&m);
    assert_false(passes(14, 9));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, vt_teardown)
    const struct CMUnitTest tests[] = {
        T(rules_first_match_decides),
        T(rules_wildcards_match_each_part),
        T(rules_default_deny_needs_a_rule),
        T(rules_are_one_way),
        T(rules_deny_oneself_too),
        T(tables_positions_count_from_one_everywhere),
        T(tables_del_out_of_range_is_enoent_and_deletes_nothing),
        T(tables_del_by_rule_wants_all_of_it_equal),
        T(tables_flush_deletes_everything),
        T(tables_list_past_the_end_is_empty),
        T(tables_list_of_many_rules_comes_in_pieces),
        T(tables_of_the_control_domain_only),
        T(explain_names_the_rule_that_decides),
        T(counters_show_what_each_rule_decided),
        T(notify_sees_a_ring_if_some_port_may_send),
        T(notify_with_many_denied_ports_says_no_when_in_doubt),
        T(boot_takes_default_and_rules_from_the_manifest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
