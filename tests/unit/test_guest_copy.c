/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies from and to guests: the walk cache's exactness, page borders, pins,
 * and the double-fetch detector itself.
 */

#include "fixture.h"

#include <pthread.h>
#include <string.h>

#include "arch_inline.h"
#include "guest_walk.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/quiesce.h"

#define PAGES 1024u
#define TABLES 0x100000UL /* where page tables go */
#define P PTE_P
#define PWU (PTE_P | PTE_W | PTE_U)

static struct domain *d;
static struct vcpu *v;
static struct fixture_tables t;
static struct guest_fault fault;

static int setup(void **state)
{
    (void)state;
    fixture_machine_create(2, FIXTURE_MIB(64));
    d = fixture_domain_create(FIXTURE_DOMID, 2, PAGES, 16);
    v = d->vcpu[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_domain_destroy(d);
    fixture_machine_destroy();
    return 0;
}

static void start(enum fixture_paging mode)
{
    fixture_paging_start(&t, v, mode, TABLES);
}

static int translate(uint64_t a, uint8_t access, bool user, uint64_t *out)
{
    gpa_t g = gpa(0);
    int rc;

    memset(&fault, 0, sizeof(fault));
    rc = guest_translate(v, gva(a), access, user, &g, &fault);
    *out = g.v;
    return rc;
}

static void creg_change(enum vcpu_creg r, uint64_t set, uint64_t clear)
{
    hv->creg_set(v, r, (hv->creg_get(v, r) & ~clear) | set);
}

static void p2m_rights(uint64_t g, uint8_t access)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);

    assert_int_equal(p2m_access_set(p2m, gfn(g), access), 0);
    p2m_unlock(&p2m);
}

/* ---- Cache ---- */

static uint32_t read_u32(uint64_t a)
{
    uint32_t value = 0;

    assert_int_equal(guest_copy_in(v, &value, guest_ref(a), sizeof(value)), 0);
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
    start(FIXTURE_PAGING_64);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t value = i + 1;

        fixture_phys_put(d, 0x5000 + i * 0x1000, &value, 4);
    }
    for (uint32_t i = 0; i < 4; i++) {
        fixture_map(&t, at[i], 0x5000 + i * 0x1000);
    }
    for (uint32_t round = 0; round < 64; round++) {
        uint32_t a = round % 4;
        uint32_t b = (round * 7 + round / 4) % 4;

        assert_int_equal(read_u32(at[a]), a + 1);
        assert_int_equal(read_u32(at[b]), b + 1);
        assert_int_equal(read_u32(at[a]), a + 1);
    }
    for (uint32_t i = 0; i < 4; i++) {
        fixture_map(&t, at[i], 0x9000 + i * 0x1000);
        assert_int_equal(read_u32(at[(i + 1) % 4]), i < 3 ? i + 2 : 5);
        assert_int_equal(read_u32(at[i]), i + 5);
    }
    fixture_pte_set(&t, at[2], 1, 0);
    {
        uint32_t value;

        assert_int_equal(guest_copy_in(v, &value, guest_ref(at[2]), 4),
                         -RV_EFAULT);
    }
    assert_int_equal(read_u32(at[0]), 5);
}

static void copy_to_frames_crosses_pages_on_both_sides(void **state)
{
    uint64_t gfns[3] = {0x80, 0x95, 0x81};
    uint8_t data[3 * 4096];
    uint8_t seen[3 * 4096];
    mfn_t frames[3];

    (void)state;
    start(FIXTURE_PAGING_64);
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    for (uint32_t i = 0; i < 3; i++) {
        fixture_map(&t, 0x40000000 + i * 0x1000, 0x60000 - i * 0x2000);
        fixture_phys_put(d, 0x60000 - i * 0x2000, data + i * 4096, 4096);
    }
    assert_true(guest_pages_pin(d, gfns, 3, frames));
    assert_int_equal(
        guest_copy_to_frames(v, frames, 100, guest_ref(0x40000000 + 77), 9000),
        0);
    for (uint32_t i = 0; i < 3; i++) {
        fixture_phys_get(d, seen + i * 4096, gfns[i] << 12, 4096);
        guest_page_unpin(frames[i]);
    }
    assert_memory_equal(seen + 100, data + 77, 9000);
    assert_int_equal(seen[99], 0);
    assert_int_equal(seen[9100], 0);
    assert_true(guest_pages_pin(d, gfns, 1, frames));
    assert_int_equal(guest_copy_to_frames(v, frames, 0,
                                          guest_ref(0x40000000 + 12288 - 8), 9),
                     -RV_EFAULT);
    guest_page_unpin(frames[0]);
}

/* The cursor forgets nothing and invents nothing: near, far, holes, beyond. */
static void pages_pin_of_scattered_frames_is_that_of_each(void **state)
{
    const uint64_t good[] = {5, 6, 4, 900, 901, 5, 512, 511, 513, 0};
    const uint64_t bad[] = {PAGES, 1UL << 20, 1UL << 36, UINT64_MAX};
    mfn_t many[ARRAY_SIZE(good)];
    mfn_t one;

    (void)state;
    assert_true(guest_pages_pin(d, good, ARRAY_SIZE(good), many));
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_non_null(guest_page_pin(d, gfn(good[i]), &one));
        assert_true(mfn_eq(one, many[i]));
        guest_page_unpin(one);
        guest_page_unpin(many[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t list[3] = {7, bad[i], 8};

        many[0] = INVALID_MFN;
        many[1] = many[2] = INVALID_MFN;
        assert_false(guest_pages_pin(d, list, 3, many));
        assert_false(mfn_is_invalid(many[0]));
        assert_true(mfn_is_invalid(many[1]) && mfn_is_invalid(many[2]));
        guest_page_unpin(many[0]);
    }
}

static void cache_follows_changed_entries_at_each_level(void **state)
{
    uint32_t one = 1;
    uint32_t two = 2;
    struct fixture_tables other;

    (void)state;
    fixture_phys_put(d, 0x5000, &one, 4);
    fixture_phys_put(d, 0x6000, &two, 4);
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t value;

        start(FIXTURE_PAGING_64);
        fixture_map(&t, 0x12345000, 0x5000);
        assert_int_equal(read_u32(0x12345000), 1);
        /* A second set of tables, linked in at one level. */
        fixture_paging_start(&other, v, FIXTURE_PAGING_64, 0x200000);
        fixture_map(&other, 0x12345000, 0x6000);
        value = fixture_pte_get(&other, 0x12345000, level);
        hv->creg_set(v, CREG_CR3, t.root);
        assert_int_equal(read_u32(0x12345000), 1);
        fixture_pte_set(&t, 0x12345000, level, value);
        assert_int_equal(read_u32(0x12345000), 2);
    }
}

static void cache_follows_cr3_and_mode(void **state)
{
    struct fixture_tables other;
    uint32_t one = 1;
    uint32_t two = 2;

    (void)state;
    fixture_phys_put(d, 0x5000, &one, 4);
    fixture_phys_put(d, 0x6000, &two, 4);
    fixture_paging_start(&other, v, FIXTURE_PAGING_64, 0x200000);
    fixture_map(&other, 0x5000, 0x6000);
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x5000, 0x5000);
    assert_int_equal(read_u32(0x5000), 1);
    hv->creg_set(v, CREG_CR3, other.root);
    assert_int_equal(read_u32(0x5000), 2);
    hv->creg_set(v, CREG_CR3, t.root);
    assert_int_equal(read_u32(0x5000), 1);
    fixture_pte_set(&t, 0x5000, 1, 0x6000 | P);
    assert_int_equal(read_u32(0x5000), 2);
    assert_int_equal(guest_copy_out(v, guest_ref(0x5000), &one, 4), -RV_EFAULT);
    creg_change(CREG_CR0, 0, CR0_WP);
    assert_int_equal(guest_copy_out(v, guest_ref(0x5000), &two, 4), 0);
    creg_change(CREG_CR0, CR0_WP, 0);
    assert_int_equal(guest_copy_out(v, guest_ref(0x5000), &one, 4), -RV_EFAULT);
}

static void cache_sees_p2m_removal_and_rights(void **state)
{
    struct p2m_locked p2m;
    uint32_t value;

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    assert_int_equal(read_u32(0x12345000), 0);
    assert_int_equal(guest_copy_out(v, guest_ref(0x12345000), &value, 4), 0);

    p2m_rights(5, ACCESS_READ);
    assert_int_equal(guest_copy_out(v, guest_ref(0x12345000), &value, 4),
                     -RV_EFAULT);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x12345000), 4), 0);
    p2m_rights(5, 0);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
    p2m_rights(5, ACCESS_ALL);
    assert_int_equal(guest_copy_out(v, guest_ref(0x12345000), &value, 4), 0);

    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(5), 0), 0);
    p2m_unlock(&p2m);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
    assert_int_equal(guest_linear_read(v, &value, gva(0x12345004), 4,
                                       ACCESS_READ, false, &fault),
                     -RV_EFAULT);
    assert_false(fault.is_page_fault);
    assert_int_equal(fault.gpa.v, 0x5004);
}

/* Another access brings the cache to the new generation; what it held for the
 * removed page must be gone as well. */
static void cache_drops_all_entries_with_the_generation(void **state)
{
    struct p2m_locked p2m;
    uint32_t value;

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    fixture_map(&t, 0x12346000, 0x6000);
    assert_int_equal(read_u32(0x12345000), 0);
    assert_int_equal(read_u32(0x12346000), 0);
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(5), 0), 0);
    p2m_unlock(&p2m);
    assert_int_equal(read_u32(0x12346000), 0);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
}

static void cache_sees_memory_that_appears(void **state)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);
    uint32_t value;
    mfn_t m;

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, (uint64_t)PAGES << PAGE_SHIFT);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x12345000), 4),
                     -RV_EFAULT);
    assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
    assert_int_equal(p2m_map(p2m, gfn(PAGES), m, 0, P2M_RAM, ACCESS_ALL), 0);
    p2m_unlock(&p2m);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x12345000), 4), 0);
}

static void cache_hit_still_sets_dirty(void **state)
{
    uint32_t value = 7;

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    assert_int_equal(read_u32(0x12345000), 0);
    assert_int_equal(guest_copy_out(v, guest_ref(0x12345000), &value, 4), 0);
    assert_true(fixture_pte_get(&t, 0x12345000, 1) & PTE_D);
    /* The guest cleans the page: the next write marks it again. */
    fixture_pte_set(&t, 0x12345000, 1, 0x5000 | PWU | PTE_A);
    assert_int_equal(guest_copy_out(v, guest_ref(0x12345000), &value, 4), 0);
    assert_true(fixture_pte_get(&t, 0x12345000, 1) & PTE_D);
}

/* ---- Copies ---- */

static void copy_round_trip_over_pages(void **state)
{
    static uint8_t out[3 * PAGE_SIZE];
    static uint8_t in[3 * PAGE_SIZE];
    static const size_t sizes[] = {0, 1, 7, 8, 9, 40, 4096, 4097, 12000};
    static const uint64_t offsets[] = {0, 1, 4088, 4093, 4095};

    (void)state;
    start(FIXTURE_PAGING_64);
    for (unsigned i = 0; i < 5; i++) {
        /* Neighbours in linear memory, not in physical memory. */
        fixture_map(&t, 0x12340000 + i * PAGE_SIZE, 0x20000 - i * PAGE_SIZE);
    }
    for (unsigned i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (unsigned o = 0; o < ARRAY_SIZE(offsets); o++) {
            struct guest_ref at = guest_ref(0x12340000 + offsets[o]);

            memset(in, 0, sizeof(in));
            assert_int_equal(guest_copy_out(v, at, out, sizes[s]), 0);
            assert_int_equal(guest_copy_in(v, in, at, sizes[s]), 0);
            assert_memory_equal(in, out, sizes[s]);
            assert_int_equal(in[sizes[s]], 0);
        }
    }
}

static void copy_out_second_page_missing_writes_first(void **state)
{
    static const uint8_t data[16] = "0123456789abcde";
    uint8_t first[8];

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    assert_int_equal(guest_copy_out(v, guest_ref(0x12345ff8), data, 16),
                     -RV_EFAULT);
    fixture_phys_get(d, first, 0x5ff8, 8);
    assert_memory_equal(first, data, 8);
}

static void linear_write_second_page_missing_writes_nothing(void **state)
{
    static const uint8_t data[16] = "0123456789abcde";
    static const uint8_t zero[8];
    uint8_t first[8];

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    assert_int_equal(
        guest_linear_write(v, gva(0x12345ff8), data, 16, true, &fault),
        -RV_EFAULT);
    assert_true(fault.is_page_fault);
    assert_int_equal(fault.gva.v, 0x12346000);
    assert_int_equal(fault.error, PF_WRITE | PF_USER);
    fixture_phys_get(d, first, 0x5ff8, 8);
    assert_memory_equal(first, zero, 8);
}

static void copy_wraps_at_4g_without_long_mode(void **state)
{
    uint64_t value = 0x1122334455667788UL;
    uint64_t got = 0;

    (void)state;
    start(FIXTURE_PAGING_32);
    fixture_map(&t, 0xfffff000, 0x5000);
    fixture_map(&t, 0x00000000, 0x6000);
    assert_int_equal(guest_copy_out(v, guest_ref(0xfffffffc), &value, 8), 0);
    assert_int_equal(guest_copy_in(v, &got, guest_ref(0xfffffffc), 8), 0);
    assert_int_equal(got, value);
    fixture_phys_get(d, &got, 0x6000, 4);
    assert_int_equal((uint32_t)got, 0x11223344);
}

static void copy_mmio_and_read_only_memory(void **state)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);
    uint32_t value = 5;
    uint64_t got;
    mfn_t m;

    (void)state;
    assert_int_equal(frame_alloc_domain(d, 0, &m), 0);
    assert_int_equal(p2m_map(p2m, gfn(0x2000), m, 0, P2M_RAM_RO, 7), 0);
    assert_int_equal(p2m_map(p2m, gfn(0xfee00), mfn(0xfee00), 0, P2M_MMIO, 7),
                     0);
    p2m_unlock(&p2m);
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x10000, 0x2000000);
    fixture_map(&t, 0x11000, 0xfee00000);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x10000), 4), 0);
    assert_int_equal(guest_copy_out(v, guest_ref(0x10000), &value, 4),
                     -RV_EFAULT);
    assert_int_equal(guest_copy_in(v, &value, guest_ref(0x11000), 4),
                     -RV_EFAULT);
    assert_int_equal(translate(0x110b0, ACCESS_WRITE, false, &got), 0);
    assert_int_equal(got, 0xfee000b0);
    assert_int_equal(guest_phys_read(d, &value, gpa(0x2000000), 4), 0);
    assert_int_equal(guest_phys_write(d, gpa(0x2000000), &value, 4),
                     -RV_EFAULT);
    assert_int_equal(guest_phys_clear(d, gpa(0x2000000), 4), -RV_EFAULT);
    assert_null(guest_page_pin(d, gfn(0x2000), &m));
    assert_int_equal(guest_phys_read(d, &value, gpa(0xfee00000), 4),
                     -RV_EFAULT);
}

static void phys_copies_over_pages_and_ends(void **state)
{
    static uint8_t out[8192];
    static uint8_t in[8192];
    uint64_t last = ((uint64_t)PAGES << PAGE_SHIFT) - 4;

    (void)state;
    memset(out, 0x77, sizeof(out));
    assert_int_equal(guest_phys_write(d, gpa(0x5123), out, sizeof(out)), 0);
    assert_int_equal(guest_phys_read(d, in, gpa(0x5123), sizeof(in)), 0);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(guest_phys_clear(d, gpa(0x5124), 5000), 0);
    assert_int_equal(guest_phys_read(d, in, gpa(0x5123), sizeof(in)), 0);
    assert_int_equal(in[0], 0x77);
    assert_int_equal(in[1], 0);
    assert_int_equal(in[5000], 0);
    assert_int_equal(in[5001], 0x77);
    assert_int_equal(guest_phys_read(d, in, gpa(last), 4), 0);
    assert_int_equal(guest_phys_read(d, in, gpa(last), 5), -RV_EFAULT);
    assert_int_equal(guest_phys_read(d, in, gpa(UINT64_MAX - 2), 4),
                     -RV_EFAULT);
}

static void phys_copies_ignore_monitor_rights(void **state)
{
    uint32_t value = 1;

    (void)state;
    p2m_rights(5, 0);
    assert_int_equal(guest_phys_write(d, gpa(0x5000), &value, 4), 0);
    assert_int_equal(guest_phys_read(d, &value, gpa(0x5000), 4), 0);
}

static void page_pin_outlives_unmap(void **state)
{
    struct p2m_locked p2m;
    uint32_t value = 0x1234;
    uint32_t got = 0;
    mfn_t m;
    mfn_t none;
    void *page = guest_page_pin(d, gfn(5), &m);

    (void)state;
    assert_non_null(page);
    guest_page_write(page, &value, 4);
    fixture_phys_get(d, &got, 0x5000, 4);
    assert_int_equal(got, value);
    p2m = p2m_lock(&d->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(5), 0), 0);
    p2m_unlock(&p2m);
    fixture_quiesce();
    assert_null(guest_page_pin(d, gfn(5), &none));
    assert_int_equal(frame_owner(m), FIXTURE_DOMID);
    assert_int_equal(frame_ref_count(m), 1);
    got = 0;
    guest_page_read(&got, page, 4);
    assert_int_equal(got, value);
    guest_page_unpin(m);
    assert_int_equal(frame_owner(m), FRAME_OWNER_FREE);
    assert_null(guest_page_pin(d, gfn(PAGES), &none));
    assert_null(guest_page_pin(d, gfn(UINT64_MAX), &none));
}

static void walk_cache_create_no_memory_returns_enomem(void **state)
{
    struct vcpu other = {.domain = d};

    (void)state;
    frame_pool_fail_after(0);
    assert_int_equal(walk_cache_create(&other), -RV_ENOMEM);
    walk_cache_destroy(&other);
}

/* ---- Double-fetch detector ---- */

static void detector_reports_second_read(void **state)
{
    struct fake_fetch_report report;
    uint64_t data = 0x1122334455667788UL;
    uint64_t a = 0;
    uint32_t b = 0;

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    fixture_phys_put(d, 0x5010, &data, 8);
    fake_fetch_begin(FAKE_FLIP);
    assert_int_equal(guest_copy_in(v, &a, guest_ref(0x12345010), 8), 0);
    assert_int_equal(guest_copy_in(v, &b, guest_ref(0x12345014), 4), 0);
    fake_fetch_end(&report);
    assert_int_equal(a, data);
    assert_int_equal(b, (uint32_t) ~(data >> 32));
    assert_int_equal(report.read_count, 12);
    assert_int_equal(report.violation_count, 4);
    assert_int_equal(report.first.v,
                     mfn_to_hpa(p2m_lookup(&d->p2m, gfn(5)).mfn).v + 0x14);
    /* The guest's data is back. */
    assert_int_equal(fixture_phys_u64(d, 0x5010), data);
}

static void detector_accepts_one_read_and_keeps_writes(void **state)
{
    struct fake_fetch_report report;
    uint64_t data = 1;
    uint64_t a;

    (void)state;
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    fixture_phys_put(d, 0x5010, &data, 8);
    for (int how = FAKE_FLIP; how <= FAKE_RANDOM; how++) {
        fake_fetch_begin((enum fake_hostility)how);
        assert_int_equal(guest_copy_in(v, &a, guest_ref(0x12345010), 8), 0);
        data++;
        assert_int_equal(guest_copy_out(v, guest_ref(0x12345010), &data, 8), 0);
        fake_fetch_end(&report);
        assert_int_equal(report.violation_count, 0);
        assert_int_equal(a, data - 1);
        assert_int_equal(fixture_phys_u64(d, 0x5010), data);
    }
}

/* ---- Threads ---- */

#define ROUNDS 20000u

static uint32_t stop; /* atomic */

/* A hostile sibling: keeps exchanging one entry and clearing A and D. */
static void *changer_thread(void *arg)
{
    uint64_t *pte = arg;
    uint64_t i = 0;

    fixture_cpu_become(1);
    while (!load_acquire(&stop)) {
        store_release(pte, (i & 1 ? 0x6000 : 0x5000) | PWU);
        i++;
        quiesce_point();
    }
    quiesce_idle();
    return NULL;
}

static void copy_concurrent_with_entry_changes_sees_old_or_new(void **state)
{
    uint32_t one = 1;
    uint32_t two = 2;
    unsigned ok = 0;
    pthread_t thread;
    uint64_t at;

    (void)state;
    fixture_phys_put(d, 0x5000, &one, 4);
    fixture_phys_put(d, 0x6000, &two, 4);
    start(FIXTURE_PAGING_64);
    fixture_map(&t, 0x12345000, 0x5000);
    at = fixture_pte(&t, 0x12345000, 1);
    store_release(&stop, 0);
    assert_int_equal(
        pthread_create(&thread, NULL, changer_thread,
                       (uint8_t *)host_ptr(mfn_to_hpa(
                           p2m_lookup(&d->p2m, gfn(at >> PAGE_SHIFT)).mfn)) +
                           (at & ~PAGE_MASK)),
        0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t value = 0;
        int rc = guest_linear_read(v, &value, gva(0x12345000), 4, ACCESS_READ,
                                   false, &fault);

        if (rc == 0) {
            assert_true(value == 1 || value == 2);
            ok++;
        } else {
            assert_true(fault.is_page_fault);
        }
        quiesce_point();
    }
    store_release(&stop, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(ok > 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(cache_follows_changed_entries_at_each_level),
        CASE(cache_with_pages_in_each_others_places_stays_exact),
        CASE(copy_to_frames_crosses_pages_on_both_sides),
        CASE(pages_pin_of_scattered_frames_is_that_of_each),
        CASE(cache_follows_cr3_and_mode),
        CASE(cache_sees_p2m_removal_and_rights),
        CASE(cache_drops_all_entries_with_the_generation),
        CASE(cache_sees_memory_that_appears),
        CASE(cache_hit_still_sets_dirty),
        CASE(copy_round_trip_over_pages),
        CASE(copy_out_second_page_missing_writes_first),
        CASE(linear_write_second_page_missing_writes_nothing),
        CASE(copy_wraps_at_4g_without_long_mode),
        CASE(copy_mmio_and_read_only_memory),
        CASE(phys_copies_over_pages_and_ends),
        CASE(phys_copies_ignore_monitor_rights),
        CASE(page_pin_outlives_unmap),
        CASE(walk_cache_create_no_memory_returns_enomem),
        CASE(detector_reports_second_read),
        CASE(detector_accepts_one_read_and_keeps_writes),
        CASE(copy_concurrent_with_entry_changes_sees_old_or_new),
    };

    return cmocka_run_group_tests_name("guest_copy", tests, NULL, NULL);
}
