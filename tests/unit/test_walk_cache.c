/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of page walks: a hit is as exact as a walk, whatever changed in the
 * guest's tables, its control registers or the p2m since.
 */

#include "walk_fixture.h"

#include "ravelin/frame_pool.h"

static uint32_t read_u32(uint64_t a)
{
    uint32_t value = 0;

    assert_int_equal(
        guest_copy_in(wt_vcpu, &value, guest_ref(a), sizeof(value)), 0);
    return value;
}

/* Three pages that share their places in the cache (32 entries), read in turn:
 * whichever moves where, each read is exact, also after a change. */
static void cache_with_pages_in_each_others_places_stays_exact(void **state)
{
    const uint64_t at[] = {0x12345000, 0x12345000 + (32UL << 12),
                           0x12345000 + (16UL << 12),
                           0x12345000 + (64UL << 12)};

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t value = i + 1;

        fixture_phys_put(wt_domain, 0x5000 + i * 0x1000, &value, 4);
    }
    for (uint32_t i = 0; i < 4; i++) {
        fixture_map(&wt_tables, at[i], 0x5000 + i * 0x1000);
    }
    for (uint32_t round = 0; round < 64; round++) {
        uint32_t a = round % 4;
        uint32_t b = (round * 7 + round / 4) % 4;

        assert_int_equal(read_u32(at[a]), a + 1);
        assert_int_equal(read_u32(at[b]), b + 1);
        assert_int_equal(read_u32(at[a]), a + 1);
    }
    for (uint32_t i = 0; i < 4; i++) {
        fixture_map(&wt_tables, at[i], 0x9000 + i * 0x1000);
        assert_int_equal(read_u32(at[(i + 1) % 4]), i < 3 ? i + 2 : 5);
        assert_int_equal(read_u32(at[i]), i + 5);
    }
    fixture_pte_set(&wt_tables, at[2], 1, 0);
    {
        uint32_t value;

        assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(at[2]), 4),
                         -RV_EFAULT);
    }
    assert_int_equal(read_u32(at[0]), 5);
}

static void cache_follows_changed_entries_at_each_level(void **state)
{
    uint32_t one = 1;
    uint32_t two = 2;
    struct fixture_tables other;

    (void)state;
    fixture_phys_put(wt_domain, 0x5000, &one, 4);
    fixture_phys_put(wt_domain, 0x6000, &two, 4);
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t value;

        wt_start(FIXTURE_PAGING_64);
        fixture_map(&wt_tables, 0x12345000, 0x5000);
        assert_int_equal(read_u32(0x12345000), 1);
        /* A second set of tables, linked in at one level. */
        fixture_paging_start(&other, wt_vcpu, FIXTURE_PAGING_64, 0x200000);
        fixture_map(&other, 0x12345000, 0x6000);
        value = fixture_pte_get(&other, 0x12345000, level);
        hv->creg_set(wt_vcpu, CREG_CR3, wt_tables.root);
        assert_int_equal(read_u32(0x12345000), 1);
        fixture_pte_set(&wt_tables, 0x12345000, level, value);
        assert_int_equal(read_u32(0x12345000), 2);
    }
}

static void cache_follows_cr3_and_mode(void **state)
{
    struct fixture_tables other;
    uint32_t one = 1;
    uint32_t two = 2;

    (void)state;
    fixture_phys_put(wt_domain, 0x5000, &one, 4);
    fixture_phys_put(wt_domain, 0x6000, &two, 4);
    fixture_paging_start(&other, wt_vcpu, FIXTURE_PAGING_64, 0x200000);
    fixture_map(&other, 0x5000, 0x6000);
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x5000, 0x5000);
    assert_int_equal(read_u32(0x5000), 1);
    hv->creg_set(wt_vcpu, CREG_CR3, other.root);
    assert_int_equal(read_u32(0x5000), 2);
    hv->creg_set(wt_vcpu, CREG_CR3, wt_tables.root);
    assert_int_equal(read_u32(0x5000), 1);
    fixture_pte_set(&wt_tables, 0x5000, 1, 0x6000 | PTE_P);
    assert_int_equal(read_u32(0x5000), 2);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x5000), &one, 4),
                     -RV_EFAULT);
    wt_creg_change(CREG_CR0, 0, CR0_WP);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x5000), &two, 4), 0);
    wt_creg_change(CREG_CR0, CR0_WP, 0);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x5000), &one, 4),
                     -RV_EFAULT);
}

static void cache_sees_p2m_removal_and_rights(void **state)
{
    struct p2m_locked p2m;
    uint32_t value;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    assert_int_equal(read_u32(0x12345000), 0);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x12345000), &value, 4),
                     0);

    wt_p2m_rights(5, ACCESS_READ);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x12345000), &value, 4),
                     -RV_EFAULT);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x12345000), 4),
                     0);
    wt_p2m_rights(5, 0);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
    wt_p2m_rights(5, ACCESS_ALL);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x12345000), &value, 4),
                     0);

    p2m = p2m_lock(&wt_domain->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(5), 0), 0);
    p2m_unlock(&p2m);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
    assert_int_equal(guest_linear_read(wt_vcpu, &value, gva(0x12345004), 4,
                                       ACCESS_READ, false, &wt_fault),
                     -RV_EFAULT);
    assert_false(wt_fault.is_page_fault);
    assert_int_equal(wt_fault.gpa.v, 0x5004);
}

/* Another access brings the cache to the new generation; what it held for the
 * removed page must be gone as well. */
static void cache_drops_all_entries_with_the_generation(void **state)
{
    struct p2m_locked p2m;
    uint32_t value;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    fixture_map(&wt_tables, 0x12346000, 0x6000);
    assert_int_equal(read_u32(0x12345000), 0);
    assert_int_equal(read_u32(0x12346000), 0);
    p2m = p2m_lock(&wt_domain->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(5), 0), 0);
    p2m_unlock(&p2m);
    assert_int_equal(read_u32(0x12346000), 0);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
}

static void cache_sees_memory_that_appears(void **state)
{
    struct p2m_locked p2m = p2m_lock(&wt_domain->p2m);
    uint32_t value;
    mfn_t m;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, (uint64_t)WT_PAGES << PAGE_SHIFT);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
    assert_int_equal(frame_alloc_domain(wt_domain, 0, &m), 0);
    assert_int_equal(p2m_map(p2m, gfn(WT_PAGES), m, 0, P2M_RAM, ACCESS_ALL), 0);
    p2m_unlock(&p2m);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x12345000), 4),
                     0);
}

static void cache_hit_still_sets_dirty(void **state)
{
    uint32_t value = 7;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    assert_int_equal(read_u32(0x12345000), 0);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x12345000), &value, 4),
                     0);
    assert_true(fixture_pte_get(&wt_tables, 0x12345000, 1) & PTE_D);
    /* The guest cleans the page: the next write marks it again. */
    fixture_pte_set(&wt_tables, 0x12345000, 1, 0x5000 | WT_PWU | PTE_A);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x12345000), &value, 4),
                     0);
    assert_true(fixture_pte_get(&wt_tables, 0x12345000, 1) & PTE_D);
}

static void walk_cache_create_no_memory_returns_enomem(void **state)
{
    struct vcpu other = {.domain = wt_domain};

    (void)state;
    frame_pool_fail_after(0);
    assert_int_equal(walk_cache_create(&other), -RV_ENOMEM);
    walk_cache_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WT_CASE(cache_follows_changed_entries_at_each_level),
        WT_CASE(cache_with_pages_in_each_others_places_stays_exact),
        WT_CASE(cache_follows_cr3_and_mode),
        WT_CASE(cache_sees_p2m_removal_and_rights),
        WT_CASE(cache_drops_all_entries_with_the_generation),
        WT_CASE(cache_sees_memory_that_appears),
        WT_CASE(cache_hit_still_sets_dirty),
        WT_CASE(walk_cache_create_no_memory_returns_enomem),
    };

    return cmocka_run_group_tests_name("walk_cache", tests, NULL, NULL);
}
