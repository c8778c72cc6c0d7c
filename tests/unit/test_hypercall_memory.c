/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op: amounts, maps, populating and giving back, special pages. Frame
 * counts are compared before and after; hc_teardown() finds what is left over.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "arch_inline.h"
#include "public/hvm/e820.h"
#include "public/memory.h"
#include "ravelin/frame_pool.h"
#include "ravelin/memmap.h"
#include "ravelin/memory_map.h"

#define NR __HYPERVISOR_memory_op
#define HOLE_GFN (HC_HOLE >> PAGE_SHIFT)
#define FREE_GFN (HC_FREE >> PAGE_SHIFT)

static long op(enum hc_who who, uint64_t cmd, void *arg, size_t n)
{
    return hc(who, NR, cmd, arg, n);
}

static enum p2m_type type_at(enum hc_who who, uint64_t g)
{
    return p2m_lookup(&hc_domain[who]->p2m, gfn(g)).type;
}

static uint64_t owned(enum hc_who who)
{
    return hc_domain[who]->page_count;
}

/* A list of `n` frames from `first` at HC_BUF. */
static struct xen_memory_reservation list_64(uint64_t first, unsigned n)
{
    struct xen_memory_reservation r = {
        .extent_start = {HC_BUF},
        .nr_extents = n,
        .domid = DOMID_SELF,
    };
    uint64_t frames[512];

    for (unsigned i = 0; i < n; i++) {
        frames[i] = first + i;
    }
    hc_put(HC_PLAIN, HC_BUF, frames, n * sizeof(frames[0]));
    return r;
}

static long resize(uint64_t cmd, struct xen_memory_reservation r)
{
    return op(HC_PLAIN, cmd, &r, sizeof(r));
}

static void memory_bad_pointer_returns_efault(void **state)
{
    static const uint8_t plain[] = {1, 3, 4, 6, 7, 14, 15, 23};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        assert_int_equal(hc_call(HC_PLAIN, false, NR, plain[i], HC_BAD, 0),
                         -RV_EFAULT);
        assert_int_equal(hc_call(HC_PLAIN, true, NR, plain[i], HC_BAD32, 0),
                         -RV_EFAULT);
    }
    assert_int_equal(
        hc_call(HC_CONTROL, false, NR, XENMEM_set_memory_map, HC_BAD, 0),
        -RV_EFAULT);
    assert_int_equal(
        hc_call(HC_CONTROL, true, NR, XENMEM_set_memory_map, HC_BAD32, 0),
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
            assert_int_equal(op(who, ops[i], &m, sizeof(m)), wanted);
        }
        assert_int_equal(op(who, XENMEM_populate_physmap, &r, sizeof(r)),
                         wanted);
        assert_int_equal(op(who, XENMEM_decrease_reservation, &r, sizeof(r)),
                         wanted);
        assert_int_equal(op(who, XENMEM_add_to_physmap, &a, sizeof(a)), wanted);
        assert_int_equal(op(who, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                         wanted);
        assert_int_equal(op(who, XENMEM_remove_from_physmap, &u, sizeof(u)),
                         wanted);
    }
    m.domid = hc_domain[HC_PLAIN]->id;
    assert_int_equal(op(HC_CONTROL, XENMEM_current_reservation, &m, sizeof(m)),
                     owned(HC_PLAIN));
}

static void memory_amounts_are_the_domains(void **state)
{
    struct xen_memory_domain m = {DOMID_SELF};

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_current_reservation, &m, sizeof(m)),
                     owned(HC_PLAIN));
    assert_int_equal(op(HC_PLAIN, XENMEM_maximum_reservation, &m, sizeof(m)),
                     hc_domain[HC_PLAIN]->max_pages);
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, XENMEM_maximum_ram_page, 0, 0),
        frame_total_count());
    /* Any continuation count means nothing here. */
    assert_int_equal(
        hc_call(HC_PLAIN, true, NR, XENMEM_maximum_ram_page | 7 << 6, 0, 0),
        frame_total_count());
}

static void memory_unsupported_returns_eopnotsupp(void **state)
{
    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, NR, XENMEM_exchange, HC_BAD, 0),
                     -RV_EOPNOTSUPP);
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, XENMEM_increase_reservation, HC_BAD, 0),
        -RV_EOPNOTSUPP);
}

/* ---- Populate and give back -------------------------------------------- */

static void populate_then_decrease_keeps_the_count(void **state)
{
    uint64_t before = owned(HC_PLAIN);

    (void)state;
    assert_int_equal(resize(XENMEM_populate_physmap, list_64(HOLE_GFN, 10)),
                     10);
    assert_int_equal(owned(HC_PLAIN), before + 10);
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_HOLE + 4096), 0);
    assert_int_equal(resize(XENMEM_decrease_reservation, list_64(HOLE_GFN, 10)),
                     10);
    fixture_quiesce();
    assert_int_equal(owned(HC_PLAIN), before);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN), P2M_NONE);
}

static void populate_stops_at_the_limit(void **state)
{
    uint64_t room = hc_domain[HC_PLAIN]->max_pages - owned(HC_PLAIN);

    (void)state;
    assert_int_equal(resize(XENMEM_populate_physmap, list_64(HOLE_GFN, 200)),
                     room);
    assert_int_equal(
        resize(XENMEM_decrease_reservation, list_64(HOLE_GFN, 200)), room);
    fixture_quiesce();
}

/* More than one piece: the call is continued by itself. */
static void populate_long_list_is_continued(void **state)
{
    hc_domain[HC_PLAIN]->max_pages += 500;
    (void)state;
    assert_int_equal(resize(XENMEM_populate_physmap, list_64(HOLE_GFN, 500)),
                     500);
    assert_int_equal(
        resize(XENMEM_decrease_reservation, list_64(HOLE_GFN, 500)), 500);
    fixture_quiesce();
    hc_domain[HC_PLAIN]->max_pages -= 500;
}

static void populate_where_something_is_stops(void **state)
{
    struct xen_memory_reservation r = list_64(FREE_GFN, 3);
    uint64_t before = owned(HC_PLAIN);

    (void)state;
    assert_int_equal(resize(XENMEM_populate_physmap, r), 0);
    r = list_64(1ULL << 40, 3);
    assert_int_equal(resize(XENMEM_populate_physmap, r), 0);
    r.extent_start.gva = HC_BAD;
    assert_int_equal(resize(XENMEM_populate_physmap, r), 0);
    assert_int_equal(owned(HC_PLAIN), before);
}

static void populate_large_extent_is_aligned_or_refused(void **state)
{
    struct xen_memory_reservation r = list_64(HOLE_GFN + 1, 1);

    (void)state;
    hc_domain[HC_PLAIN]->max_pages += 512;
    r.extent_order = 9;
    assert_int_equal(resize(XENMEM_populate_physmap, r), 0);
    r = list_64(HOLE_GFN, 1);
    r.extent_order = 9;
    assert_int_equal(resize(XENMEM_populate_physmap, r), 1);
    /* One page in the middle, then the rest cannot go as a whole. */
    assert_int_equal(
        resize(XENMEM_decrease_reservation, list_64(HOLE_GFN + 5, 1)), 1);
    r = list_64(HOLE_GFN, 1);
    r.extent_order = 9;
    assert_int_equal(resize(XENMEM_decrease_reservation, r), 0);
    assert_int_equal(resize(XENMEM_decrease_reservation, list_64(HOLE_GFN, 5)),
                     5);
    assert_int_equal(
        resize(XENMEM_decrease_reservation, list_64(HOLE_GFN + 6, 506)), 506);
    fixture_quiesce();
    hc_domain[HC_PLAIN]->max_pages -= 512;
}

static void reservation_bad_fields_return_einval(void **state)
{
    struct xen_memory_reservation r = list_64(HOLE_GFN, 1);

    (void)state;
    r.extent_order = 10;
    assert_int_equal(resize(XENMEM_populate_physmap, r), -RV_EINVAL);
    assert_int_equal(resize(XENMEM_decrease_reservation, r), -RV_EINVAL);
    r.extent_order = UINT32_MAX;
    assert_int_equal(resize(XENMEM_decrease_reservation, r), -RV_EINVAL);
    r = list_64(HOLE_GFN, 1);
    r.mem_flags = XENMEMF_populate_on_demand;
    assert_int_equal(resize(XENMEM_populate_physmap, r), -RV_EINVAL);
    r = list_64(HOLE_GFN, 1);
    r.nr_extents = UINT64_MAX;
    assert_int_equal(resize(XENMEM_decrease_reservation, r), -RV_EINVAL);
    /* More done than there is to do. */
    r = list_64(HOLE_GFN, 1);
    assert_int_equal(
        op(HC_PLAIN, XENMEM_populate_physmap | 2 << 6, &r, sizeof(r)),
        -RV_EINVAL);
}

static void reservation_of_32bit_caller_has_its_layout(void **state)
{
    struct compat_memory_reservation r = {
        .extent_start = {HC_BUF},
        .nr_extents = 2,
        .domid = DOMID_SELF,
    };
    uint32_t frames[2] = {HOLE_GFN, HOLE_GFN + 7};

    (void)state;
    hc_put(HC_PLAIN, HC_BUF, frames, sizeof(frames));
    assert_int_equal(hc32(HC_PLAIN, NR, XENMEM_populate_physmap, &r, sizeof(r)),
                     2);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN + 7), P2M_RAM);
    assert_int_equal(
        hc32(HC_PLAIN, NR, XENMEM_decrease_reservation, &r, sizeof(r)), 2);
    fixture_quiesce();
}

static void decrease_of_what_is_not_ram_stops(void **state)
{
    (void)state;
    assert_int_equal(resize(XENMEM_decrease_reservation, list_64(HOLE_GFN, 1)),
                     0);
    assert_int_equal(
        resize(XENMEM_decrease_reservation, list_64(UINT64_MAX, 1)), 0);
}

/* ---- Special pages ----------------------------------------------------- */

static void physmap_shared_info_appears(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = FREE_GFN,
    };
    uint64_t before = owned(HC_PLAIN);
    mfn_t m = hc_domain[HC_PLAIN]->shared_info_mfn;
    uint32_t refs = frame_ref_count(m);

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    fixture_quiesce();
    assert_int_equal(type_at(HC_PLAIN, FREE_GFN), P2M_SHARED);
    assert_int_equal(p2m_lookup(&hc_domain[HC_PLAIN]->p2m, gfn(FREE_GFN)).mfn.v,
                     m.v);
    assert_int_equal(owned(HC_PLAIN), before - 1);
    assert_int_equal(frame_ref_count(m), refs + 1);
    a.idx = 1;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    a.idx = 0;
    a.gpfn = UINT64_MAX;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), refs + 1);
}

static void physmap_32bit_shared_info_appears(void **state)
{
    struct compat_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = HOLE_GFN,
    };
    struct compat_remove_from_physmap r = {.domid = DOMID_SELF,
                                           .gpfn = HOLE_GFN};

    (void)state;
    assert_int_equal(hc32(HC_PLAIN, NR, XENMEM_add_to_physmap, &a, sizeof(a)),
                     0);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN), P2M_SHARED);
    assert_int_equal(
        hc32(HC_PLAIN, NR, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN), P2M_NONE);
}

static void shared_info_put(uint64_t at)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = at,
    };

    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    fixture_quiesce();
    assert_int_equal(type_at(HC_PLAIN, at), P2M_SHARED);
}

static void physmap_shared_info_is_at_one_place(void **state)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
                                        .gpfn = HOLE_GFN + 1};
    struct xen_add_to_physmap bad = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = UINT64_MAX,
    };
    mfn_t m = hc_domain[HC_PLAIN]->shared_info_mfn;
    uint32_t refs;

    (void)state;
    shared_info_put(HOLE_GFN);
    refs = frame_ref_count(m);
    shared_info_put(HOLE_GFN + 1);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN), P2M_NONE);
    shared_info_put(HOLE_GFN + 1);
    assert_int_equal(frame_ref_count(m), refs);
    /* What cannot be done takes nothing away. */
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &bad, sizeof(bad)),
                     -RV_EINVAL);
    fixture_quiesce();
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN + 1), P2M_SHARED);
    assert_int_equal(frame_ref_count(m), refs);
    /* What has taken its place since is not touched. */
    assert_int_equal(op(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     0);
    assert_int_equal(resize(XENMEM_populate_physmap, list_64(HOLE_GFN + 1, 1)),
                     1);
    shared_info_put(HOLE_GFN);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN + 1), P2M_RAM);
    assert_int_equal(
        resize(XENMEM_decrease_reservation, list_64(HOLE_GFN + 1, 1)), 1);
    r.gpfn = HOLE_GFN;
    assert_int_equal(op(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     0);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), refs - 1);
}

static void physmap_bad_space_is_refused(void **state)
{
    struct xen_add_to_physmap a = {.domid = DOMID_SELF, .gpfn = HOLE_GFN};

    (void)state;
    a.space = XENMAPSPACE_grant_table;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EOPNOTSUPP);
    a.space = XENMAPSPACE_gmfn_foreign;
    assert_int_equal(op(HC_CONTROL, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EOPNOTSUPP);
    a.space = XENMAPSPACE_dev_mmio;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    a.space = UINT32_MAX;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
}

static void physmap_gmfn_moves_a_page(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
        .idx = FREE_GFN + 1,
        .gpfn = HOLE_GFN,
    };
    uint64_t mark = 0x1122334455667788u;
    uint64_t before = owned(HC_PLAIN);

    (void)state;
    hc_put(HC_PLAIN, HC_FREE + 4096, &mark, sizeof(mark));
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    fixture_quiesce();
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_HOLE), mark);
    assert_int_equal(type_at(HC_PLAIN, FREE_GFN + 1), P2M_NONE);
    assert_int_equal(owned(HC_PLAIN), before);
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_ENOENT);
    a.idx = UINT64_MAX;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    /* To itself: nothing. */
    a.idx = a.gpfn = HOLE_GFN;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    /* And back, a place that does not exist: the page stays. */
    a.gpfn = UINT64_MAX;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_EINVAL);
    fixture_quiesce();
    assert_int_equal(fixture_phys_u64(hc_domain[HC_PLAIN], HC_HOLE), mark);
    a.gpfn = FREE_GFN + 1;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    fixture_quiesce();
    assert_int_equal(owned(HC_PLAIN), before);
}

static void physmap_gmfn_range_is_continued(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .size = 100,
        .space = XENMAPSPACE_gmfn_range,
        .idx = FREE_GFN + 2,
        .gpfn = HOLE_GFN,
    };
    uint64_t before = owned(HC_PLAIN);

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN + 99), P2M_RAM);
    assert_int_equal(type_at(HC_PLAIN, FREE_GFN + 2 + 99), P2M_NONE);
    a.idx = HOLE_GFN;
    a.gpfn = FREE_GFN + 2;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    fixture_quiesce();
    assert_int_equal(owned(HC_PLAIN), before);
}

static void physmap_without_table_pages_returns_enomem(void **state)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = 0x7654321,
    };
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF};
    struct xen_memory_reservation big = list_64(HOLE_GFN, 1);

    (void)state;
    hc_alloc_fail();
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap, &a, sizeof(a)),
                     -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(type_at(HC_PLAIN, a.gpfn), P2M_NONE);
    /* Splitting a superpage needs a table. */
    hc_domain[HC_PLAIN]->max_pages += 512;
    big.extent_order = 9;
    assert_int_equal(resize(XENMEM_populate_physmap, big), 1);
    r.gpfn = HOLE_GFN + 3;
    hc_alloc_fail();
    assert_int_equal(op(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN + 3), P2M_RAM);
    big = list_64(HOLE_GFN, 1);
    big.extent_order = 9;
    assert_int_equal(resize(XENMEM_decrease_reservation, big), 1);
    fixture_quiesce();
    hc_domain[HC_PLAIN]->max_pages -= 512;
}

static void physmap_remove_what_is_there(void **state)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
                                        .gpfn = HOLE_GFN + 600};
    uint64_t before = owned(HC_PLAIN);

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     -RV_ENOENT);
    r.gpfn = UINT64_MAX;
    assert_int_equal(op(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     -RV_EINVAL);
    r.gpfn = FREE_GFN + 120;
    assert_int_equal(op(HC_PLAIN, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     0);
    fixture_quiesce();
    assert_int_equal(owned(HC_PLAIN), before - 1);
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
        batch(HC_CONTROL, FREE_GFN + 20, HOLE_GFN, 70);
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF};
    uint64_t mark = 0xfeedfacecafebeefu;
    mfn_t m = p2m_lookup(&hc_domain[HC_PLAIN]->p2m, gfn(FREE_GFN + 20)).mfn;

    (void)state;
    hc_put(HC_PLAIN, HC_FREE + 20 * 4096, &mark, sizeof(mark));
    assert_int_equal(op(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     0);
    for (unsigned i = 0; i < 70; i++) {
        assert_int_equal(batch_result(HC_CONTROL, i), 0);
    }
    assert_int_equal(type_at(HC_CONTROL, HOLE_GFN), P2M_FOREIGN);
    assert_int_equal(
        p2m_lookup(&hc_domain[HC_CONTROL]->p2m, gfn(HOLE_GFN)).mfn.v, m.v);
    assert_memory_equal(host_ptr(mfn_to_hpa(m)), &mark, sizeof(mark));
    assert_int_equal(frame_ref_count(m), 2);
    for (unsigned i = 0; i < 70; i++) {
        r.gpfn = HOLE_GFN + i;
        assert_int_equal(
            op(HC_CONTROL, XENMEM_remove_from_physmap, &r, sizeof(r)), 0);
    }
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), 1);
}

static void batch_has_a_result_per_entry(void **state)
{
    struct xen_add_to_physmap_batch b =
        batch(HC_CONTROL, (HC_RAM_END >> PAGE_SHIFT) - 1, HOLE_GFN, 2);
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF, .gpfn = HOLE_GFN};

    (void)state;
    assert_int_equal(op(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     0);
    assert_int_equal(batch_result(HC_CONTROL, 0), 0);
    assert_int_equal(batch_result(HC_CONTROL, 1), -RV_ENOENT);
    assert_int_equal(op(HC_CONTROL, XENMEM_remove_from_physmap, &r, sizeof(r)),
                     0);
    fixture_quiesce();
}

static void batch_bad_requests_are_refused(void **state)
{
    struct xen_add_to_physmap_batch b = batch(HC_PLAIN, FREE_GFN, HOLE_GFN, 1);

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     -RV_EPERM);
    b.u.foreign_domid = 99;
    assert_int_equal(op(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     -RV_ESRCH);
    b.space = XENMAPSPACE_shared_info;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     -RV_EINVAL);
    b.u.res0 = 0;
    b.space = XENMAPSPACE_gmfn_range;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     -RV_EINVAL);
    b.space = XENMAPSPACE_grant_table;
    assert_int_equal(op(HC_PLAIN, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     -RV_EOPNOTSUPP);
    b = batch(HC_CONTROL, FREE_GFN, HOLE_GFN, 1);
    b.errs.gva = HC_BAD;
    assert_int_equal(op(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
                     -RV_EFAULT);
    b.gpfns.gva = HC_BAD;
    assert_int_equal(op(HC_CONTROL, XENMEM_add_to_physmap_batch, &b, sizeof(b)),
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
    uint32_t words[9] = {0, 0xdead, 0xdead, 0xdead, HOLE_GFN, 0xdead};

    (void)state;
    words[8] = 0x77;
    hc_put(HC_PLAIN, HC_BUF, words, sizeof(words));
    assert_int_equal(
        hc32(HC_PLAIN, NR, XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
    assert_int_equal(type_at(HC_PLAIN, HOLE_GFN), P2M_SHARED);
    hc_get(HC_PLAIN, HC_BUF, words, sizeof(words));
    assert_int_equal(words[8], 0);
}

/* ---- Maps -------------------------------------------------------------- */

static void map_without_one_returns_enosys(void **state)
{
    struct xen_memory_map m = {4, 0, {HC_BUF}};
    struct xen_memory_domain d = {DOMID_SELF};

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_memory_map, &m, sizeof(m)),
                     -RV_ENOSYS);
    assert_int_equal(op(HC_PLAIN, XENMEM_maximum_gpfn, &d, sizeof(d)), 0);
}

static void map_set_by_control_is_told_to_the_domain(void **state)
{
    struct xen_e820_entry e[3] = {{0, 0xa0000, XEN_E820_RAM},
                                  {0x100000, 0x700000, XEN_E820_RAM},
                                  {0xfeff0000, 0x10000, XEN_E820_RESERVED}};
    struct xen_foreign_memory_map f = {
        .domid = hc_domain[HC_PLAIN]->id,
        .map = {3, 0, {HC_BUF}},
    };
    struct compat_memory_map m32 = {2, {HC_BUF}};
    struct xen_memory_map m = {16, 0, {HC_BUF}};
    struct xen_memory_domain d = {DOMID_SELF};
    struct xen_e820_entry got[3];

    (void)state;
    hc_put(HC_CONTROL, HC_BUF, e, sizeof(e));
    assert_int_equal(op(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)), 0);
    assert_int_equal(op(HC_PLAIN, XENMEM_memory_map, &m, sizeof(m)), 0);
    assert_int_equal(m.nr_entries, 3);
    hc_get(HC_PLAIN, HC_BUF, got, sizeof(got));
    assert_memory_equal(got, e, sizeof(e));
    assert_int_equal(op(HC_PLAIN, XENMEM_maximum_gpfn, &d, sizeof(d)), 0x7ff);
    assert_int_equal(hc32(HC_PLAIN, NR, XENMEM_memory_map, &m32, sizeof(m32)),
                     0);
    assert_int_equal(m32.nr_entries, 2);
    m.nr_entries = 3;
    m.buffer.gva = HC_BAD;
    assert_int_equal(op(HC_PLAIN, XENMEM_memory_map, &m, sizeof(m)),
                     -RV_EFAULT);
}

static void map_set_bad_requests_are_refused(void **state)
{
    struct xen_foreign_memory_map f = {
        .domid = hc_domain[HC_PLAIN]->id,
        .map = {129, 0, {HC_BUF}},
    };

    (void)state;
    assert_int_equal(op(HC_PLAIN, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_EPERM);
    assert_int_equal(op(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_EINVAL);
    f.map.nr_entries = 3;
    f.map.buffer.gva = HC_BAD;
    assert_int_equal(op(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_EFAULT);
    f.map.buffer.gva = HC_BUF;
    hc_alloc_fail();
    assert_int_equal(op(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_ENOMEM);
    hc_alloc_heal();
    f.domid = 99;
    assert_int_equal(op(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_ESRCH);
}

static void map_of_the_machine_is_for_the_hardware_domain(void **state)
{
    static const struct memmap machine = {
        .count = 3,
        .region = {{{0}, 0xa0000, MEM_FREE},
                   {{0xa0000}, 0x60000, MEM_RESERVED},
                   {{0x100000}, 0x1000000, MEM_HYPERVISOR}},
    };
    struct xen_memory_map m = {16, 0, {0}};
    struct xen_e820_entry e[3];

    (void)state;
    machine_memory_map_set(&machine);
    assert_int_equal(op(HC_CONTROL, XENMEM_machine_memory_map, &m, sizeof(m)),
                     -RV_EPERM);
    assert_int_equal(op(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)),
                     0);
    assert_int_equal(m.nr_entries, 3);
    m.buffer.gva = HC_BUF;
    assert_int_equal(op(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)),
                     0);
    hc_get(HC_HARDWARE, HC_BUF, e, sizeof(e));
    assert_int_equal(e[1].type, XEN_E820_RESERVED);
    assert_int_equal(e[2].addr, 0x100000);
    assert_int_equal(e[2].type, XEN_E820_RAM);
    m.nr_entries = 2;
    assert_int_equal(op(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)),
                     -RV_EINVAL);
    m.nr_entries = 3;
    m.buffer.gva = HC_BAD;
    assert_int_equal(op(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)),
                     -RV_EFAULT);
    machine_memory_map_set(NULL);
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
        cmocka_unit_test(map_without_one_returns_enosys),
        cmocka_unit_test(map_set_by_control_is_told_to_the_domain),
        cmocka_unit_test(map_set_bad_requests_are_refused),
        cmocka_unit_test(map_of_the_machine_is_for_the_hardware_domain),
        cmocka_unit_test(map_of_a_destroyed_domain_takes_nothing),
        cmocka_unit_test(memory_documented_errors_are_all_provoked),
    };

    return cmocka_run_group_tests(tests, hc_setup, hc_teardown);
}
