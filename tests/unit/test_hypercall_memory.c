/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op: who may ask, amounts, populating and giving back. Frame counts are
 * compared before and after; hc_teardown() finds what is left over. Placing
 * pages and maps have their files; all run here, and the last test checks that
 * no documented error was missed.
 */
#include "memory_op_fixture.h"

#include "ravelin/frame_pool.h"

static void memory_bad_pointer_returns_efault(void **state)
{
    static const uint8_t plain[] = {1, 3, 4, 6, 7, 14, 15, 23};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_memory_op,
                                 plain[i], HC_BAD, 0),
                         -RV_EFAULT);
        assert_int_equal(hc_call(HC_PLAIN, true, __HYPERVISOR_memory_op,
                                 plain[i], HC_BAD32, 0),
                         -RV_EFAULT);
    }
    assert_int_equal(hc_call(HC_CONTROL, false, __HYPERVISOR_memory_op,
                             XENMEM_set_memory_map, HC_BAD, 0),
                     -RV_EFAULT);
    assert_int_equal(hc_call(HC_CONTROL, true, __HYPERVISOR_memory_op,
                             XENMEM_set_memory_map, HC_BAD32, 0),
                     -RV_EFAULT);
}

static void memory_other_domain_needs_control(void **state)
{
    static const uint8_t ops[] = {XENMEM_current_reservation,
                                  XENMEM_maximum_reservation,
                                  XENMEM_maximum_gpfn};
    struct xen_memory_domain m = {hc_domain[HC_PLAIN]->id};
    struct xen_memory_reservation r = {.domid = m.domid};
    struct xen_add_to_physmap a = {.domid = m.domid};
    struct xen_add_to_physmap_batch b = {.domid = m.domid};
    struct xen_remove_from_physmap u = {.domid = m.domid};

    (void)state;
    for (unsigned gone = 0; gone < 2; gone++) {
        enum hc_who who = gone ? HC_CONTROL : HC_HARDWARE;
        long wanted = gone ? -RV_ESRCH : -RV_EPERM;

        if (gone) {
            m.domid = r.domid = a.domid = b.domid = u.domid = 99;
        }
        for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
            assert_int_equal(mo_call(who, ops[i], &m, sizeof(m)), wanted);
        }
        assert_int_equal(mo_call(who, XENMEM_populate_physmap, &r, sizeof(r)),
                         wanted);
        assert_int_equal(
            mo_call(who, XENMEM_decrease_reservation, &r, sizeof(r)), wanted);
        assert_int_equal(mo_call(who, XENMEM_add_to_physmap, &a, sizeof(a)),
                         wanted);
        assert_int_equal(
            mo_call(who, XENMEM_add_to_physmap_batch, &b, sizeof(b)), wanted);
        assert_int_equal(
            mo_call(who, XENMEM_remove_from_physmap, &u, sizeof(u)), wanted);
    }
    m.domid = hc_domain[HC_PLAIN]->id;
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_current_reservation, &m, sizeof(m)),
        mo_owned(HC_PLAIN));
}

static void memory_amounts_are_the_domains(void **state)
{
    struct xen_memory_domain m = {DOMID_SELF};

    (void)state;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_current_reservation, &m, sizeof(m)),
        mo_owned(HC_PLAIN));
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_maximum_reservation, &m, sizeof(m)),
        hc_domain[HC_PLAIN]->max_pages);
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_memory_op,
                             XENMEM_maximum_ram_page, 0, 0),
                     frame_total_count());
    /* Any continuation count means nothing here. */
    assert_int_equal(hc_call(HC_PLAIN, true, __HYPERVISOR_memory_op,
                             XENMEM_maximum_ram_page | 7 << 6, 0, 0),
                     frame_total_count());
}

static void memory_unsupported_returns_eopnotsupp(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_memory_op,
                             XENMEM_exchange, HC_BAD, 0),
                     -RV_EOPNOTSUPP);
    assert_int_equal(hc_call(HC_PLAIN, false, __HYPERVISOR_memory_op,
                             XENMEM_increase_reservation, HC_BAD, 0),
                     -RV_EOPNOTSUPP);
}

/* ---- Populate and give back -------------------------------------------- */

static void populate_then_decrease_keeps_the_count(void **state)
{
    uint64_t before = mo_owned(HC_PLAIN);

    (void)state;
    assert_int_equal(
        mo_resize(XENMEM_populate_physmap, mo_list(MO_HOLE_GFN, 10)), 10);
    assert_int_equal(mo_owned(HC_PLAIN), before + 10);
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_HOLE + 4096), 0);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN, 10)), 10);
    fixture_quiesce();
    assert_int_equal(mo_owned(HC_PLAIN), before);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN), P2M_NONE);
}

static void populate_stops_at_the_limit(void **state)
{
    uint64_t room = hc_domain[HC_PLAIN]->max_pages - mo_owned(HC_PLAIN);

    (void)state;
    assert_int_equal(
        mo_resize(XENMEM_populate_physmap, mo_list(MO_HOLE_GFN, 200)), room);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN, 200)),
        room);
    fixture_quiesce();
}

/* More than one piece: the call is continued by itself. */
static void populate_long_list_is_continued(void **state)
{
    hc_domain[HC_PLAIN]->max_pages += 500;
    (void)state;
    assert_int_equal(
        mo_resize(XENMEM_populate_physmap, mo_list(MO_HOLE_GFN, 500)), 500);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN, 500)), 500);
    fixture_quiesce();
    hc_domain[HC_PLAIN]->max_pages -= 500;
}

static void populate_where_something_is_stops(void **state)
{
    struct xen_memory_reservation r = mo_list(MO_FREE_GFN, 3);
    uint64_t before = mo_owned(HC_PLAIN);

    (void)state;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), 0);
    r = mo_list(1ULL << 40, 3);
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), 0);
    r.extent_start.gva = HC_BAD;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), 0);
    assert_int_equal(mo_owned(HC_PLAIN), before);
}

static void populate_large_extent_is_aligned_or_refused(void **state)
{
    struct xen_memory_reservation r = mo_list(MO_HOLE_GFN + 1, 1);

    (void)state;
    hc_domain[HC_PLAIN]->max_pages += 512;
    r.extent_order = 9;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), 0);
    r = mo_list(MO_HOLE_GFN, 1);
    r.extent_order = 9;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), 1);
    /* One page in the middle, then the rest cannot go as a whole. */
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN + 5, 1)), 1);
    r = mo_list(MO_HOLE_GFN, 1);
    r.extent_order = 9;
    assert_int_equal(mo_resize(XENMEM_decrease_reservation, r), 0);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN, 5)), 5);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN + 6, 506)),
        506);
    fixture_quiesce();
    hc_domain[HC_PLAIN]->max_pages -= 512;
}

static void reservation_bad_fields_return_einval(void **state)
{
    struct xen_memory_reservation r = mo_list(MO_HOLE_GFN, 1);

    (void)state;
    r.extent_order = 10;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), -RV_EINVAL);
    assert_int_equal(mo_resize(XENMEM_decrease_reservation, r), -RV_EINVAL);
    r.extent_order = UINT32_MAX;
    assert_int_equal(mo_resize(XENMEM_decrease_reservation, r), -RV_EINVAL);
    r = mo_list(MO_HOLE_GFN, 1);
    r.mem_flags = XENMEMF_populate_on_demand;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, r), -RV_EINVAL);
    r = mo_list(MO_HOLE_GFN, 1);
    r.nr_extents = UINT64_MAX;
    assert_int_equal(mo_resize(XENMEM_decrease_reservation, r), -RV_EINVAL);
    /* More done than there is to do. */
    r = mo_list(MO_HOLE_GFN, 1);
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_populate_physmap | 2 << 6, &r, sizeof(r)),
        -RV_EINVAL);
}

static void reservation_of_32bit_caller_has_its_layout(void **state)
{
    struct compat_memory_reservation r = {
        .extent_start = {HC_BUF},
        .nr_extents = 2,
        .domid = DOMID_SELF,
    };
    uint32_t frames[2] = {MO_HOLE_GFN, MO_HOLE_GFN + 7};

    (void)state;
    hc_put(HC_PLAIN, HC_BUF, frames, sizeof(frames));
    assert_int_equal(hc32(HC_PLAIN, __HYPERVISOR_memory_op,
                          XENMEM_populate_physmap, &r, sizeof(r)),
                     2);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN + 7), P2M_RAM);
    assert_int_equal(hc32(HC_PLAIN, __HYPERVISOR_memory_op,
                          XENMEM_decrease_reservation, &r, sizeof(r)),
                     2);
    fixture_quiesce();
}

static void decrease_of_what_is_not_ram_stops(void **state)
{
    (void)state;
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN, 1)), 0);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(UINT64_MAX, 1)), 0);
}

/* A destroy on another CPU may finish while a long populate is still at it. */
static void map_of_a_destroyed_domain_takes_nothing(void **state)
{
    struct domain_config cfg = {.id = 70, .vcpu_count = 1};
    struct p2m_locked p2m;
    struct domain *d;

    (void)state;
    assert_int_equal(domain_create(&cfg, &d), 0);
    assert_true(domain_get(d));
    while (domain_destroy(d) != 0) {
        fixture_quiesce();
    }
    fixture_quiesce();
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_map(p2m, gfn(1), mfn(300), 0, P2M_RAM, ACCESS_ALL),
                     -RV_EINVAL);
    assert_int_equal(p2m_unmap(p2m, gfn(1), 0), -RV_EINVAL);
    assert_int_equal(p2m_access_set(p2m, gfn(1), ACCESS_READ), -RV_EINVAL);
    p2m_unlock(&p2m);
    domain_put(d);
    fixture_quiesce();
}

static void memory_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("memory_op");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_bad_pointer_returns_efault),
        cmocka_unit_test(memory_other_domain_needs_control),
        cmocka_unit_test(memory_amounts_are_the_domains),
        cmocka_unit_test(memory_unsupported_returns_eopnotsupp),
        cmocka_unit_test(populate_then_decrease_keeps_the_count),
        cmocka_unit_test(populate_stops_at_the_limit),
        cmocka_unit_test(populate_long_list_is_continued),
        cmocka_unit_test(populate_where_something_is_stops),
        cmocka_unit_test(populate_large_extent_is_aligned_or_refused),
        cmocka_unit_test(reservation_bad_fields_return_einval),
        cmocka_unit_test(reservation_of_32bit_caller_has_its_layout),
        cmocka_unit_test(decrease_of_what_is_not_ram_stops),
        cmocka_unit_test(map_of_a_destroyed_domain_takes_nothing),
    };
    const struct CMUnitTest last[] = {
        cmocka_unit_test(memory_documented_errors_are_all_provoked),
    };
    int failed = group_run(tests, hc_setup, hc_teardown);

    failed += memory_physmap_run();
    failed += memory_maps_run();
    failed += cmocka_run_group_tests(last, NULL, NULL);
    return failed;
}
