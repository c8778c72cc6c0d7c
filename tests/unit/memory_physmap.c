/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op: pages that are put somewhere: shared_info, frames of one's own
 * that move, frames of others, one by one and in batches, and taking them off
 * again.
 */
#include "memory_op_fixture.h"

#include "arch_inline.h"
#include "ravelin/frame_pool.h"

/* ---- Special pages ----------------------------------------------------- */

static void physmap_shared_info_appears(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = MO_FREE_GFN,
    };
    uint64_t before = mo_owned(HC_PLAIN);
    mfn_t m = hc_domain[HC_PLAIN]->shared_info_mfn;
    uint32_t refs = frame_ref_count(m);

    (void)state;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    fixture_quiesce();
    assert_int_equal(mo_type_at(HC_PLAIN, MO_FREE_GFN), P2M_SHARED);
    assert_int_equal(
        p2m_lookup(&hc_domain[HC_PLAIN]->p2m, gfn(MO_FREE_GFN)).mfn.v, m.v);
    assert_int_equal(mo_owned(HC_PLAIN), before - 1);
    assert_int_equal(frame_ref_count(m), refs + 1);
    a.idx = 1;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    a.idx = 0;
    a.gpfn = UINT64_MAX;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), refs + 1);
}

static void physmap_32bit_shared_info_appears(void **state)
{
    struct compat_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = MO_HOLE_GFN,
    };
    struct compat_remove_from_physmap r = {.domid = DOMID_SELF,
                                           .gpfn = MO_HOLE_GFN};

    (void)state;
    assert_int_equal(hc32(HC_PLAIN, __HYPERVISOR_memory_op,
                          XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN), P2M_SHARED);
    assert_int_equal(hc32(HC_PLAIN, __HYPERVISOR_memory_op,
                          XENMEM_remove_from_physmap, &r, sizeof(r)),
                     0);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN), P2M_NONE);
}

static void shared_info_put(uint64_t at)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = at,
    };

    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    fixture_quiesce();
    assert_int_equal(mo_type_at(HC_PLAIN, at), P2M_SHARED);
}

static void physmap_shared_info_is_at_one_place(void **state)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
                                        .gpfn = MO_HOLE_GFN + 1};
    struct xen_add_to_physmap bad = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = UINT64_MAX,
    };
    mfn_t m = hc_domain[HC_PLAIN]->shared_info_mfn;
    uint32_t refs;

    (void)state;
    shared_info_put(MO_HOLE_GFN);
    refs = frame_ref_count(m);
    shared_info_put(MO_HOLE_GFN + 1);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN), P2M_NONE);
    shared_info_put(MO_HOLE_GFN + 1);
    assert_int_equal(frame_ref_count(m), refs);
    /* What cannot be done takes nothing away. */
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_add_to_physmap, &bad, sizeof(bad)),
        -RV_EINVAL);
    fixture_quiesce();
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN + 1), P2M_SHARED);
    assert_int_equal(frame_ref_count(m), refs);
    /* What has taken its place since is not touched. */
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    assert_int_equal(
        mo_resize(XENMEM_populate_physmap, mo_list(MO_HOLE_GFN + 1, 1)), 1);
    shared_info_put(MO_HOLE_GFN);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN + 1), P2M_RAM);
    assert_int_equal(
        mo_resize(XENMEM_decrease_reservation, mo_list(MO_HOLE_GFN + 1, 1)), 1);
    r.gpfn = MO_HOLE_GFN;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), refs - 1);
}

static void physmap_bad_space_is_refused(void **state)
{
    struct xen_add_to_physmap a = {.domid = DOMID_SELF, .gpfn = MO_HOLE_GFN};

    (void)state;
    a.space = XENMAPSPACE_grant_table;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EOPNOTSUPP);
    a.space = XENMAPSPACE_gmfn_foreign;
    assert_int_equal(mo_call(HC_CONTROL, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EOPNOTSUPP);
    a.space = XENMAPSPACE_dev_mmio;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    a.space = UINT32_MAX;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
}

static void physmap_gmfn_moves_a_page(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
        .idx = MO_FREE_GFN + 1,
        .gpfn = MO_HOLE_GFN,
    };
    uint64_t mark = 0x1122334455667788u;
    uint64_t before = mo_owned(HC_PLAIN);

    (void)state;
    hc_put(HC_PLAIN, HC_FREE + 4096, &mark, sizeof(mark));
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    fixture_quiesce();
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_HOLE), mark);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_FREE_GFN + 1), P2M_NONE);
    assert_int_equal(mo_owned(HC_PLAIN), before);
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_ENOENT);
    a.idx = UINT64_MAX;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    /* To itself: nothing. */
    a.idx = a.gpfn = MO_HOLE_GFN;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    /* And back, a place that does not exist: the page stays. */
    a.gpfn = UINT64_MAX;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    fixture_quiesce();
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_HOLE), mark);
    a.gpfn = MO_FREE_GFN + 1;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    fixture_quiesce();
    assert_int_equal(mo_owned(HC_PLAIN), before);
}

static void physmap_gmfn_range_is_continued(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .size = 100,
        .space = XENMAPSPACE_gmfn_range,
        .idx = MO_FREE_GFN + 2,
        .gpfn = MO_HOLE_GFN,
    };
    uint64_t before = mo_owned(HC_PLAIN);

    (void)state;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN + 99), P2M_RAM);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_FREE_GFN + 2 + 99), P2M_NONE);
    a.idx = MO_HOLE_GFN;
    a.gpfn = MO_FREE_GFN + 2;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    fixture_quiesce();
    assert_int_equal(mo_owned(HC_PLAIN), before);
}

static void physmap_without_table_pages_returns_enomem(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = 0x7654321,
    };
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF};
    struct xen_memory_reservation big = mo_list(MO_HOLE_GFN, 1);

    (void)state;
    hc_alloc_fail();
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(mo_type_at(HC_PLAIN, a.gpfn), P2M_NONE);
    /* Splitting a superpage needs a table. */
    hc_domain[HC_PLAIN]->max_pages += 512;
    big.extent_order = 9;
    assert_int_equal(mo_resize(XENMEM_populate_physmap, big), 1);
    r.gpfn = MO_HOLE_GFN + 3;
    hc_alloc_fail();
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
        -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN + 3), P2M_RAM);
    big = mo_list(MO_HOLE_GFN, 1);
    big.extent_order = 9;
    assert_int_equal(mo_resize(XENMEM_decrease_reservation, big), 1);
    fixture_quiesce();
    hc_domain[HC_PLAIN]->max_pages -= 512;
}

static void physmap_remove_what_is_there(void **state)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
                                        .gpfn = MO_HOLE_GFN + 600};
    uint64_t before = mo_owned(HC_PLAIN);

    (void)state;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
        -RV_ENOENT);
    r.gpfn = UINT64_MAX;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
        -RV_EINVAL);
    r.gpfn = MO_FREE_GFN + 120;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    fixture_quiesce();
    assert_int_equal(mo_owned(HC_PLAIN), before - 1);
}

/* ---- The batch form ---------------------------------------------------- */

static struct xen_add_to_physmap_batch batch(enum hc_who who, uint64_t idx,
                                             uint64_t at, unsigned n)
{
    struct xen_add_to_physmap_batch b = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn_foreign,
        .size = (uint16_t)n,
        .idxs = {HC_BUF},
        .gpfns = {HC_BUF + 0x4000},
        .errs = {HC_BUF + 0x8000},
    };

    b.u.foreign_domid = hc_domain[HC_PLAIN]->id;
    for (unsigned i = 0; i < n; i++) {
        uint64_t from = idx + i;
        uint64_t to = at + i;

        hc_put(who, HC_BUF + i * 8, &from, 8);
        hc_put(who, HC_BUF + 0x4000 + i * 8, &to, 8);
    }
    return b;
}

static int32_t batch_result(enum hc_who who, unsigned i)
{
    int32_t rc;

    hc_get(who, HC_BUF + 0x8000 + i * 4, &rc, sizeof(rc));
    return rc;
}

static void batch_foreign_page_is_shared_and_counted(void **state)
{
    struct xen_add_to_physmap_batch b =
        batch(HC_CONTROL, MO_FREE_GFN + 20, MO_HOLE_GFN, 70);
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF};
    uint64_t mark = 0xfeedfacecafebeefu;
    mfn_t m = p2m_lookup(&hc_domain[HC_PLAIN]->p2m, gfn(MO_FREE_GFN + 20)).mfn;

    (void)state;
    hc_put(HC_PLAIN, HC_FREE + 20 * 4096, &mark, sizeof(mark));
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
    for (unsigned i = 0; i < 70; i++) {
        assert_int_equal(batch_result(HC_CONTROL, i), 0);
    }
    assert_int_equal(mo_type_at(HC_CONTROL, MO_HOLE_GFN), P2M_FOREIGN);
    assert_int_equal(
        p2m_lookup(&hc_domain[HC_CONTROL]->p2m, gfn(MO_HOLE_GFN)).mfn.v, m.v);
    assert_memory_equal(host_ptr(mfn_to_hpa(m)), &mark, sizeof(mark));
    assert_int_equal(frame_ref_count(m), 2);
    for (unsigned i = 0; i < 70; i++) {
        r.gpfn = MO_HOLE_GFN + i;
        assert_int_equal(
            mo_call(HC_CONTROL, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    }
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), 1);
}

static void batch_has_a_result_per_entry(void **state)
{
    struct xen_add_to_physmap_batch b =
        batch(HC_CONTROL, (HC_RAM_END >> PAGE_SHIFT) - 1, MO_HOLE_GFN, 2);
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
                                        .gpfn = MO_HOLE_GFN};

    (void)state;
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
    assert_int_equal(batch_result(HC_CONTROL, 0), 0);
    assert_int_equal(batch_result(HC_CONTROL, 1), -RV_ENOENT);
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    fixture_quiesce();
}

static void batch_bad_requests_are_refused(void **state)
{
    struct xen_add_to_physmap_batch b =
        batch(HC_PLAIN, MO_FREE_GFN, MO_HOLE_GFN, 1);

    (void)state;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_EPERM);
    b.u.foreign_domid = 99;
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_ESRCH);
    b.space = XENMAPSPACE_shared_info;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_EINVAL);
    b.u.res0 = 0;
    b.space = XENMAPSPACE_gmfn_range;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_EINVAL);
    b.space = XENMAPSPACE_grant_table;
    assert_int_equal(
        mo_call(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_EOPNOTSUPP);
    b = batch(HC_CONTROL, MO_FREE_GFN, MO_HOLE_GFN, 1);
    b.errs.gva = HC_BAD;
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_EFAULT);
    b.gpfns.gva = HC_BAD;
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
        -RV_EFAULT);
}

static void batch_32bit_lists_are_narrow(void **state)
{
    struct compat_add_to_physmap_batch b = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .size = 1,
        .idxs = {HC_BUF},
        .gpfns = {HC_BUF + 16},
        .errs = {HC_BUF + 32},
    };
    uint32_t words[9] = {0, 0xdead, 0xdead, 0xdead, MO_HOLE_GFN, 0xdead};

    (void)state;
    words[8] = 0x77;
    hc_put(HC_PLAIN, HC_BUF, words, sizeof(words));
    assert_int_equal(hc32(HC_PLAIN, __HYPERVISOR_memory_op,
                          XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     0);
    assert_int_equal(mo_type_at(HC_PLAIN, MO_HOLE_GFN), P2M_SHARED);
    hc_get(HC_PLAIN, HC_BUF, words, sizeof(words));
    assert_int_equal(words[8], 0);
}

int memory_physmap_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(physmap_shared_info_appears),
        cmocka_unit_test(physmap_32bit_shared_info_appears),
        cmocka_unit_test(physmap_shared_info_is_at_one_place),
        cmocka_unit_test(physmap_bad_space_is_refused),
        cmocka_unit_test(physmap_gmfn_moves_a_page),
        cmocka_unit_test(physmap_gmfn_range_is_continued),
        cmocka_unit_test(physmap_without_table_pages_returns_enomem),
        cmocka_unit_test(physmap_remove_what_is_there),
        cmocka_unit_test(batch_foreign_page_is_shared_and_counted),
        cmocka_unit_test(batch_has_a_result_per_entry),
        cmocka_unit_test(batch_bad_requests_are_refused),
        cmocka_unit_test(batch_32bit_lists_are_narrow),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
