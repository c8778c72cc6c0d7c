/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m: mapping, splitting, pruning, rights, limits and failing allocations.
 */

#include "p2m_fixture.h"

#include <string.h>

#include "arch_inline.h"
#include "ravelin/guest_copy.h"
#include "ravelin/quiesce.h"

static void ram_free(mfn_t m, unsigned order)
{
    for (uint64_t i = 0; i < 1UL << order; i++) {
        frame_put(mfn(m.v + i));
    }
}

static void expect(uint64_t g, uint64_t m, enum p2m_type type, uint8_t access,
                   unsigned level)
{
    struct p2m_entry e = p2m_lookup(&pm_domain->p2m, gfn(g));

    assert_int_equal(e.type, type);
    assert_int_equal(e.mfn.v, m);
    assert_int_equal(e.access, access);
    assert_int_equal(e.level, level);
}

static void expect_none(uint64_t g)
{
    struct p2m_entry e = p2m_lookup(&pm_domain->p2m, gfn(g));

    assert_int_equal(e.type, P2M_NONE);
    assert_true(mfn_is_invalid(e.mfn));
}

/* What the processor would see, through the fake's own decoder. */
static struct npt_entry hardware(uint64_t g, unsigned *level)
{
    uint64_t *table = host_ptr(mfn_to_hpa(pm_domain->p2m.root));
    struct npt_entry e;

    for (*level = 4;; --*level) {
        hv->npt_decode(table[(g >> (9 * (*level - 1))) & 511], *level, &e);
        if (e.leaf || e.access == 0) {
            return e;
        }
        assert_int_equal(e.access, ACCESS_ALL);
        table = host_ptr(mfn_to_hpa(e.mfn));
    }
}

static void p2m_init_bad_limit_returns_einval(void **state)
{
    struct p2m p2m;

    (void)state;
    assert_int_equal(p2m_init(&p2m, pm_domain, 0), -RV_EINVAL);
    assert_int_equal(p2m_init(&p2m, pm_domain, P2M_GFN_LIMIT_MAX + 1),
                     -RV_EINVAL);
    frame_pool_fail_after(0);
    assert_int_equal(p2m_init(&p2m, pm_domain, 1), -RV_ENOMEM);
}

static uint64_t wrong_encode(const struct npt_entry *e, unsigned level)
{
    return fake_backend.npt_encode(e, level) ^ (e->leaf ? 0x80 : 0);
}

static void init_wrong_shape(void *ctx)
{
    (void)ctx;
    (void)!p2m_init(&pm_domain->p2m, pm_domain, 1);
}

static void p2m_init_backend_of_other_shape_panics(void **state)
{
    struct hv_backend wrong = fake_backend;

    (void)state;
    wrong.npt_encode = wrong_encode;
    hv = &wrong;
    assert_true(fake_panics(init_wrong_shape, NULL));
    hv = &fake_backend;
}

static void p2m_lookup_nothing_mapped_returns_none(void **state)
{
    (void)state;
    expect_none(0);
    expect_none(0x12345);
    expect_none(P2M_GFN_LIMIT_MAX - 1);
    expect_none(P2M_GFN_LIMIT_MAX);
    expect_none(UINT64_MAX);
}

static void p2m_lookup_beyond_the_map_finds_no_alias(void **state)
{
    mfn_t m = pm_frame(0);

    (void)state;
    assert_int_equal(pm_map(P2M_GFN_LIMIT_MAX - 1, m, 0, P2M_RAM, ACCESS_ALL),
                     0);
    expect(P2M_GFN_LIMIT_MAX - 1, m.v, P2M_RAM, ACCESS_ALL, 1);
    expect_none(2 * P2M_GFN_LIMIT_MAX - 1);
    expect_none(UINT64_MAX);
}

static void p2m_map_each_order_uses_largest_leaf(void **state)
{
    mfn_t small = pm_frame(0);
    mfn_t two = pm_frame(FRAME_ORDER_2M);
    mfn_t giant = pm_frame(FRAME_ORDER_1G);

    (void)state;
    assert_int_equal(pm_map(5, small, 0, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_map(512, two, 9, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_map(1UL << 18, giant, 18, P2M_RAM, ACCESS_ALL), 0);
    expect(5, small.v, P2M_RAM, ACCESS_ALL, 1);
    expect(512, two.v, P2M_RAM, ACCESS_ALL, 2);
    expect(512 + 511, two.v + 511, P2M_RAM, ACCESS_ALL, 2);
    expect_none(1024);
    expect((1UL << 18) + 77777, giant.v + 77777, P2M_RAM, ACCESS_ALL, 3);
    expect_none(2UL << 18);
    /* root, one level 3, one level 2, one level 1 */
    assert_int_equal(pm_domain->p2m.table_count, 4);
}

static void p2m_map_small_leaf_backend_uses_2m(void **state)
{
    mfn_t giant = pm_frame(FRAME_ORDER_1G);

    (void)state;
    fake_npt_leaf_level = 2;
    assert_int_equal(pm_map(0, giant, 18, P2M_RAM, ACCESS_ALL), 0);
    expect(1000, giant.v + 1000, P2M_RAM, ACCESS_ALL, 2);
    assert_int_equal(pm_domain->p2m.table_count, 3);
}

static void p2m_map_2m_over_table_fills_small_entries(void **state)
{
    mfn_t small = pm_frame(0);
    mfn_t two = pm_frame(FRAME_ORDER_2M);

    (void)state;
    /* A table for 512..1023 is there, with one entry at its end. */
    assert_int_equal(pm_map(1023, small, 0, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_map(512, two, 9, P2M_RAM, ACCESS_ALL), -RV_EEXIST);
    expect_none(512);
    assert_int_equal(pm_map(512, two, 8, P2M_RAM, ACCESS_ALL), 0);
    expect(512 + 255, two.v + 255, P2M_RAM, ACCESS_ALL, 1);
    expect_none(512 + 256);
    ram_free(mfn(two.v + 256), 8);
}

static void p2m_map_bad_arguments_return_einval(void **state)
{
    mfn_t m = pm_frame(9);
    uint64_t limit = pm_domain->p2m.gfn_limit;

    (void)state;
    assert_int_equal(pm_map(limit, m, 0, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(UINT64_MAX, m, 0, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(1, m, 9, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(512, mfn(m.v + 1), 9, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(0, m, 19, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(0, m, 64, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(0, m, 0, P2M_NONE, 7), -RV_EINVAL);
    assert_int_equal(pm_map(0, m, 0, P2M_TYPE_COUNT, 7), -RV_EINVAL);
    assert_int_equal(pm_map(0, m, 0, P2M_RAM, 8), -RV_EINVAL);
    assert_int_equal(pm_map(0, mfn(1UL << 40), 0, P2M_MMIO, 7), -RV_EINVAL);
    pm_domain->p2m.gfn_limit = 700;
    assert_int_equal(pm_map(512, m, 9, P2M_RAM, 7), -RV_EINVAL);
    assert_int_equal(pm_map(699, m, 0, P2M_RAM, 7), 0);
    assert_int_equal(pm_unmap(512, 9), -RV_EINVAL);
    assert_int_equal(pm_unmap(1, 1), -RV_EINVAL);
    assert_int_equal(pm_access_set(700, 7), -RV_EINVAL);
    assert_int_equal(pm_access_set(699, 8), -RV_EINVAL);
    pm_domain->p2m.gfn_limit = limit;
    for (uint64_t i = 1; i < 512; i++) {
        frame_put(mfn(m.v + i));
    }
}

static void p2m_map_existing_returns_eexist_unchanged(void **state)
{
    mfn_t a = pm_frame(0);
    mfn_t b = pm_frame(1);

    (void)state;
    assert_int_equal(pm_map(9, a, 0, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_map(9, b, 0, P2M_RAM, ACCESS_ALL), -RV_EEXIST);
    assert_int_equal(pm_map(8, b, 1, P2M_RAM, ACCESS_ALL), -RV_EEXIST);
    expect_none(8);
    expect(9, a.v, P2M_RAM, ACCESS_ALL, 1);
    ram_free(b, 1);
}

/* Each allocation of a mapping in turn fails: nothing may change. */
static void p2m_map_each_failing_table_changes_nothing(void **state)
{
    mfn_t m = pm_frame(1);
    int64_t n = 0;
    int rc;

    (void)state;
    for (;; n++) {
        uint64_t frames = frame_free_count();

        frame_pool_fail_after(n);
        rc = pm_map(0x40000200, m, 1, P2M_RAM, ACCESS_ALL);
        frame_pool_fail_after(-1);
        if (rc == 0) {
            break;
        }
        assert_int_equal(rc, -RV_ENOMEM);
        fixture_quiesce();
        expect_none(0x40000200);
        assert_int_equal(pm_domain->p2m.table_count, 1);
        assert_int_equal(frame_free_count(), frames);
        assert_int_equal(frame_ref_count(m), 1);
    }
    assert_int_equal(n, 3);
}

/* A range over two tables, the second of which cannot be had. */
static void p2m_map_undo_removes_first_part(void **state)
{
    mfn_t m = pm_frame(10);
    mfn_t block = pm_frame(0);

    (void)state;
    /* Both 2M areas get a table, so that small entries are used. */
    fake_npt_leaf_level = 1;
    assert_int_equal(pm_map(3UL << 10, block, 0, P2M_RAM, 7), 0);
    frame_pool_fail_after(1);
    assert_int_equal(pm_map(1024, m, 10, P2M_RAM, 7), -RV_ENOMEM);
    for (uint64_t g = 1024; g < 2048; g++) {
        expect_none(g);
    }
    expect(3UL << 10, block.v, P2M_RAM, 7, 1);
    assert_int_equal(pm_map(1024, m, 10, P2M_RAM, 7), 0);
    expect(2047, m.v + 1023, P2M_RAM, 7, 1);
}

static void p2m_map_table_limit_returns_enomem(void **state)
{
    mfn_t m = pm_frame(0);
    unsigned count = 0;
    int rc = 0;

    (void)state;
    pm_domain->max_pages = 256;
    while (rc == 0 && count < 1000) {
        frame_get_held(m);
        rc = pm_map((uint64_t)count << 18, m, 0, P2M_RAM, ACCESS_ALL);
        count++;
    }
    frame_put(m);
    assert_int_equal(rc, -RV_ENOMEM);
    /* 64 spare + 1 for 256 pages; root + level 3 + two tables per mapping. */
    assert_int_equal(count, (65 - 2) / 2 + 1);
    frame_put(m);
    pm_domain->max_pages = 1UL << 19;
}

static void p2m_unmap_drops_reference_after_quiescence(void **state)
{
    mfn_t m = pm_frame(0);

    (void)state;
    assert_int_equal(pm_map(3, m, 0, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(frame_ref_count(m), 1);
    assert_int_equal(pm_unmap(3, 0), 0);
    expect_none(3);
    assert_int_equal(frame_ref_count(m), 1);
    assert_int_equal(pm_domain->page_count, 0);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), 0);
}

static void p2m_unmap_frees_empty_tables(void **state)
{
    uint64_t frames = frame_free_count();
    mfn_t m = pm_frame(0);

    (void)state;
    assert_int_equal(pm_map(0x123456789, m, 0, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_domain->p2m.table_count, 4);
    assert_int_equal(pm_unmap(0x123456789, 0), 0);
    assert_int_equal(pm_domain->p2m.table_count, 1);
    fixture_quiesce();
    assert_int_equal(frame_free_count(), frames);
}

static void p2m_unmap_part_of_superpages_splits(void **state)
{
    mfn_t giant = pm_frame(FRAME_ORDER_1G);

    (void)state;
    assert_int_equal(pm_map(0, giant, 18, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_unmap(1025, 0), 0);
    expect(1024, giant.v + 1024, P2M_RAM, ACCESS_ALL, 1);
    expect_none(1025);
    expect(1026, giant.v + 1026, P2M_RAM, ACCESS_ALL, 1);
    expect(512, giant.v + 512, P2M_RAM, ACCESS_ALL, 2);
    expect(262143, giant.v + 262143, P2M_RAM, ACCESS_ALL, 2);
    /* With holes in the range. */
    assert_int_equal(pm_unmap(1024, 9), 0);
    expect_none(1024);
    expect_none(1535);
    expect(1536, giant.v + 1536, P2M_RAM, ACCESS_ALL, 2);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(mfn(giant.v + 1030)), 0);
    assert_int_equal(frame_ref_count(mfn(giant.v + 1536)), 1);
    assert_int_equal(pm_domain->page_count, (1UL << 18) - 512);
}

static void p2m_unmap_split_without_memory_changes_nothing(void **state)
{
    mfn_t giant = pm_frame(FRAME_ORDER_1G);

    (void)state;
    assert_int_equal(pm_map(0, giant, 18, P2M_RAM, ACCESS_ALL), 0);
    for (int64_t n = 0; n < 2; n++) {
        frame_pool_fail_after(n);
        assert_int_equal(pm_unmap(7, 0), -RV_ENOMEM);
        for (uint64_t g = 0; g < 1UL << 18; g += 511) {
            struct p2m_entry e = p2m_lookup(&pm_domain->p2m, gfn(g));

            assert_int_equal(e.type, P2M_RAM);
            assert_int_equal(e.mfn.v, giant.v + g);
        }
    }
}

static void p2m_unmap_foreign_drops_foreign_reference(void **state)
{
    struct domain *other = fixture_domain_create(9, 0, 1, 0);
    mfn_t m = p2m_lookup(&other->p2m, gfn(0)).mfn;

    (void)state;
    assert_true(frame_get(m, 9));
    assert_int_equal(pm_map(0x5000, m, 0, P2M_FOREIGN, ACCESS_ALL), 0);
    assert_int_equal(frame_ref_count(m), 2);
    assert_int_equal(pm_domain->page_count, 0);
    assert_int_equal(pm_unmap(0x5000, 0), 0);
    fixture_quiesce();
    assert_int_equal(frame_ref_count(m), 1);
    fixture_domain_destroy(other);
}

static void p2m_unmap_mmio_has_no_references(void **state)
{
    unsigned level;
    struct npt_entry e;

    (void)state;
    assert_int_equal(pm_map(0xfee00, mfn(0xfee00), 0, P2M_MMIO, ACCESS_ALL), 0);
    e = hardware(0xfee00, &level);
    assert_int_equal(e.memtype, NPT_MEM_UC);
    expect(0xfee00, 0xfee00, P2M_MMIO, ACCESS_ALL, 1);
    assert_int_equal(pm_unmap(0xfee00, 0), 0);
    fixture_quiesce();
}

static void p2m_access_set_splits_and_restricts_hardware(void **state)
{
    mfn_t two = pm_frame(FRAME_ORDER_2M);
    unsigned level;
    struct npt_entry e;

    (void)state;
    assert_int_equal(pm_map(512, two, 9, P2M_RAM, ACCESS_ALL), 0);
    assert_int_equal(pm_access_set(600, ACCESS_READ), 0);
    expect(600, two.v + 88, P2M_RAM, ACCESS_READ, 1);
    expect(601, two.v + 89, P2M_RAM, ACCESS_ALL, 1);
    e = hardware(600, &level);
    assert_int_equal(e.access, ACCESS_READ);
    e = hardware(601, &level);
    assert_int_equal(e.access, ACCESS_ALL);
    assert_int_equal(pm_access_set(600, ACCESS_ALL), 0);
    e = hardware(600, &level);
    assert_int_equal(e.access, ACCESS_ALL);
    assert_int_equal(e.mfn.v, two.v + 88);
}

static void p2m_access_set_without_read_grants_nothing(void **state)
{
    mfn_t m = pm_frame(0);
    unsigned level;
    struct npt_entry e;

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM, ACCESS_ALL), 0);
    for (uint8_t access = 0; access < 8; access++) {
        assert_int_equal(pm_access_set(5, access), 0);
        expect(5, m.v, P2M_RAM, access, 1);
        e = hardware(5, &level);
        assert_int_equal(e.access, access & ACCESS_READ ? access : 0);
    }
    assert_int_equal(pm_access_set(6, ACCESS_ALL), -RV_ENOENT);
}

static void p2m_access_set_read_only_type_never_writable(void **state)
{
    mfn_t m = pm_frame(0);
    unsigned level;

    (void)state;
    assert_int_equal(pm_map(5, m, 0, P2M_RAM_RO, ACCESS_ALL), 0);
    expect(5, m.v, P2M_RAM_RO, ACCESS_READ | ACCESS_EXEC, 1);
    assert_int_equal(pm_access_set(5, ACCESS_READ), 0);
    assert_int_equal(pm_access_set(5, ACCESS_ALL), 0);
    assert_int_equal(hardware(5, &level).access, ACCESS_READ | ACCESS_EXEC);
}

static void p2m_access_set_split_without_memory_returns_enomem(void **state)
{
    mfn_t two = pm_frame(FRAME_ORDER_2M);

    (void)state;
    assert_int_equal(pm_map(512, two, 9, P2M_RAM, ACCESS_ALL), 0);
    frame_pool_fail_after(0);
    assert_int_equal(pm_access_set(600, ACCESS_READ), -RV_ENOMEM);
    expect(600, two.v + 88, P2M_RAM, ACCESS_ALL, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PM_CASE(p2m_init_bad_limit_returns_einval),
        PM_CASE(p2m_init_backend_of_other_shape_panics),
        PM_CASE(p2m_lookup_nothing_mapped_returns_none),
        PM_CASE(p2m_lookup_beyond_the_map_finds_no_alias),
        PM_CASE(p2m_map_each_order_uses_largest_leaf),
        PM_CASE(p2m_map_small_leaf_backend_uses_2m),
        PM_CASE(p2m_map_2m_over_table_fills_small_entries),
        PM_CASE(p2m_map_bad_arguments_return_einval),
        PM_CASE(p2m_map_existing_returns_eexist_unchanged),
        PM_CASE(p2m_map_each_failing_table_changes_nothing),
        PM_CASE(p2m_map_undo_removes_first_part),
        PM_CASE(p2m_map_table_limit_returns_enomem),
        PM_CASE(p2m_unmap_drops_reference_after_quiescence),
        PM_CASE(p2m_unmap_frees_empty_tables),
        PM_CASE(p2m_unmap_part_of_superpages_splits),
        PM_CASE(p2m_unmap_split_without_memory_changes_nothing),
        PM_CASE(p2m_unmap_foreign_drops_foreign_reference),
        PM_CASE(p2m_unmap_mmio_has_no_references),
        PM_CASE(p2m_access_set_splits_and_restricts_hardware),
        PM_CASE(p2m_access_set_without_read_grants_nothing),
        PM_CASE(p2m_access_set_read_only_type_never_writable),
        PM_CASE(p2m_access_set_split_without_memory_returns_enomem),
    };

    return cmocka_run_group_tests_name("p2m", tests, NULL, NULL);
}
