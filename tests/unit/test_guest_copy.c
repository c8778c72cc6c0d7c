/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies from and to guests: page borders, rights, pins, a sibling that changes
 * the tables meanwhile, and the double-fetch detector itself.
 */

#include "walk_fixture.h"

#include <pthread.h>
#include <string.h>

#include "arch_inline.h"
#include "ravelin/frame_pool.h"
#include "ravelin/quiesce.h"

static void copy_to_frames_crosses_pages_on_both_sides(void **state)
{
    uint64_t gfns[3] = {0x80, 0x95, 0x81};
    uint8_t data[3 * 4096];
    uint8_t seen[3 * 4096];
    mfn_t frames[3];

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    for (uint32_t i = 0; i < 3; i++) {
        fixture_map(&wt_tables, 0x40000000 + i * 0x1000, 0x60000 - i * 0x2000);
        fixture_phys_put(wt_domain, 0x60000 - i * 0x2000, data + i * 4096,
                         4096);
    }
    assert_true(guest_pages_pin(wt_domain, gfns, 3, frames));
    assert_int_equal(guest_copy_to_frames(wt_vcpu, frames, 100,
                                          guest_ref(0x40000000 + 77), 9000),
                     0);
    for (uint32_t i = 0; i < 3; i++) {
        fixture_phys_get(wt_domain, seen + i * 4096, gfns[i] << 12, 4096);
        guest_page_unpin(frames[i]);
    }
    assert_memory_equal(seen + 100, data + 77, 9000);
    assert_int_equal(seen[99], 0);
    assert_int_equal(seen[9100], 0);
    assert_true(guest_pages_pin(wt_domain, gfns, 1, frames));
    assert_int_equal(guest_copy_to_frames(wt_vcpu, frames, 0,
                                          guest_ref(0x40000000 + 12288 - 8), 9),
                     -RV_EFAULT);
    guest_page_unpin(frames[0]);
}

static void code_refresh_changes_nothing_and_needs_no_memory(void **state)
{
    const uint8_t code[2] = {0xcc, 0x90};
    uint8_t seen[2];

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x40000000, 0x60000);
    fixture_phys_put(wt_domain, 0x60ffe, code, sizeof(code));
    guest_code_refresh(wt_vcpu, gva(0x40000ffe));
    guest_code_refresh(wt_vcpu, gva(0x40000fff));
    guest_code_refresh(wt_vcpu, gva(0x40001000)); /* nothing there */
    fixture_phys_get(wt_domain, seen, 0x60ffe, sizeof(seen));
    assert_memory_equal(seen, code, sizeof(code));
}

/* The cursor forgets nothing and invents nothing: near, far, holes, beyond. */
static void pages_pin_of_scattered_frames_is_that_of_each(void **state)
{
    const uint64_t good[] = {5, 6, 4, 900, 901, 5, 512, 511, 513, 0};
    const uint64_t bad[] = {WT_PAGES, 1UL << 20, 1UL << 36, UINT64_MAX};
    mfn_t many[ARRAY_SIZE(good)];
    mfn_t one;

    (void)state;
    assert_true(guest_pages_pin(wt_domain, good, ARRAY_SIZE(good), many));
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_non_null(guest_page_pin(wt_domain, gfn(good[i]), &one));
        assert_true(mfn_eq(one, many[i]));
        guest_page_unpin(one);
        guest_page_unpin(many[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t list[3] = {7, bad[i], 8};

        many[0] = INVALID_MFN;
        many[1] = many[2] = INVALID_MFN;
        assert_false(guest_pages_pin(wt_domain, list, 3, many));
        assert_false(mfn_is_invalid(many[0]));
        assert_true(mfn_is_invalid(many[1]) && mfn_is_invalid(many[2]));
        guest_page_unpin(many[0]);
    }
}

static void copy_round_trip_over_pages_is_exact(void **state)
{
    static uint8_t out[3 * PAGE_SIZE];
    static uint8_t in[3 * PAGE_SIZE];
    static const size_t sizes[] = {0, 1, 7, 8, 9, 40, 4096, 4097, 12000};
    static const uint64_t offsets[] = {0, 1, 4088, 4093, 4095};

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    for (unsigned i = 0; i < 5; i++) {
        /* Neighbours in linear memory, not in physical memory. */
        fixture_map(&wt_tables, 0x12340000 + i * PAGE_SIZE,
                    0x20000 - i * PAGE_SIZE);
    }
    for (unsigned i = 0; i < sizeof(out); i++) {
        out[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (unsigned o = 0; o < ARRAY_SIZE(offsets); o++) {
            struct guest_ref at = guest_ref(0x12340000 + offsets[o]);

            memset(in, 0, sizeof(in));
            assert_int_equal(guest_copy_out(wt_vcpu, at, out, sizes[s]), 0);
            assert_int_equal(guest_copy_in(wt_vcpu, in, at, sizes[s]), 0);
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
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x12345ff8), data, 16),
                     -RV_EFAULT);
    fixture_phys_get(wt_domain, first, 0x5ff8, 8);
    assert_memory_equal(first, data, 8);
}

static void linear_write_second_page_missing_writes_nothing(void **state)
{
    static const uint8_t data[16] = "0123456789abcde";
    static const uint8_t zero[8];
    uint8_t first[8];

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    assert_int_equal(
        guest_linear_write(wt_vcpu, gva(0x12345ff8), data, 16, true, &wt_fault),
        -RV_EFAULT);
    assert_true(wt_fault.is_page_fault);
    assert_int_equal(wt_fault.gva.v, 0x12346000);
    assert_int_equal(wt_fault.error, PF_WRITE | PF_USER);
    fixture_phys_get(wt_domain, first, 0x5ff8, 8);
    assert_memory_equal(first, zero, 8);
}

static void copy_wraps_at_4g_without_long_mode(void **state)
{
    uint64_t value = 0x1122334455667788UL;
    uint64_t got = 0;

    (void)state;
    wt_start(FIXTURE_PAGING_32);
    fixture_map(&wt_tables, 0xfffff000, 0x5000);
    fixture_map(&wt_tables, 0x00000000, 0x6000);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0xfffffffc), &value, 8),
                     0);
    assert_int_equal(guest_copy_in(wt_vcpu, &got, guest_ref(0xfffffffc), 8), 0);
    assert_int_equal(got, value);
    fixture_phys_get(wt_domain, &got, 0x6000, 4);
    assert_int_equal((uint32_t)got, 0x11223344);
}

static void copy_to_mmio_or_read_only_memory_is_refused(void **state)
{
    struct p2m_locked p2m = p2m_lock(&wt_domain->p2m);
    uint32_t value = 5;
    uint64_t got;
    mfn_t m;

    (void)state;
    assert_int_equal(frame_alloc_domain(wt_domain, 0, &m), 0);
    assert_int_equal(p2m_map(p2m, gfn(0x2000), m, 0, P2M_RAM_RO, 7), 0);
    assert_int_equal(p2m_map(p2m, gfn(0xfee00), mfn(0xfee00), 0, P2M_MMIO, 7),
                     0);
    p2m_unlock(&p2m);
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x10000, 0x2000000);
    fixture_map(&wt_tables, 0x11000, 0xfee00000);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x10000), 4), 0);
    assert_int_equal(guest_copy_out(wt_vcpu, guest_ref(0x10000), &value, 4),
                     -RV_EFAULT);
    assert_int_equal(guest_copy_in(wt_vcpu, &value, guest_ref(0x11000), 4),
                     -RV_EFAULT);
    assert_int_equal(wt_translate(0x110b0, ACCESS_WRITE, false, &got), 0);
    assert_int_equal(got, 0xfee000b0);
    assert_int_equal(guest_phys_read(wt_domain, &value, gpa(0x2000000), 4), 0);
    assert_int_equal(guest_phys_write(wt_domain, gpa(0x2000000), &value, 4),
                     -RV_EFAULT);
    assert_int_equal(guest_phys_clear(wt_domain, gpa(0x2000000), 4),
                     -RV_EFAULT);
    assert_null(guest_page_pin(wt_domain, gfn(0x2000), &m));
    assert_int_equal(guest_phys_read(wt_domain, &value, gpa(0xfee00000), 4),
                     -RV_EFAULT);
}

static void phys_copies_over_pages_are_exact_up_to_the_end(void **state)
{
    static uint8_t out[8192];
    static uint8_t in[8192];
    uint64_t last = ((uint64_t)WT_PAGES << PAGE_SHIFT) - 4;

    (void)state;
    memset(out, 0x77, sizeof(out));
    assert_int_equal(guest_phys_write(wt_domain, gpa(0x5123), out, sizeof(out)),
                     0);
    assert_int_equal(guest_phys_read(wt_domain, in, gpa(0x5123), sizeof(in)),
                     0);
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(guest_phys_clear(wt_domain, gpa(0x5124), 5000), 0);
    assert_int_equal(guest_phys_read(wt_domain, in, gpa(0x5123), sizeof(in)),
                     0);
    assert_int_equal(in[0], 0x77);
    assert_int_equal(in[1], 0);
    assert_int_equal(in[5000], 0);
    assert_int_equal(in[5001], 0x77);
    assert_int_equal(guest_phys_read(wt_domain, in, gpa(last), 4), 0);
    assert_int_equal(guest_phys_read(wt_domain, in, gpa(last), 5), -RV_EFAULT);
    assert_int_equal(guest_phys_read(wt_domain, in, gpa(UINT64_MAX - 2), 4),
                     -RV_EFAULT);
}

static void phys_copies_ignore_monitor_rights(void **state)
{
    uint32_t value = 1;

    (void)state;
    wt_p2m_rights(5, 0);
    assert_int_equal(guest_phys_write(wt_domain, gpa(0x5000), &value, 4), 0);
    assert_int_equal(guest_phys_read(wt_domain, &value, gpa(0x5000), 4), 0);
}

static void page_pin_outlives_unmap(void **state)
{
    struct p2m_locked p2m;
    uint32_t value = 0x1234;
    uint32_t got = 0;
    mfn_t m;
    mfn_t none;
    void *page = guest_page_pin(wt_domain, gfn(5), &m);

    (void)state;
    assert_non_null(page);
    guest_page_write(page, &value, 4);
    fixture_phys_get(wt_domain, &got, 0x5000, 4);
    assert_int_equal(got, value);
    p2m = p2m_lock(&wt_domain->p2m);
    assert_int_equal(p2m_unmap(p2m, gfn(5), 0), 0);
    p2m_unlock(&p2m);
    fixture_quiesce();
    assert_null(guest_page_pin(wt_domain, gfn(5), &none));
    assert_int_equal(frame_owner(m), FIXTURE_DOMID);
    assert_int_equal(frame_ref_count(m), 1);
    got = 0;
    guest_page_read(&got, page, 4);
    assert_int_equal(got, value);
    guest_page_unpin(m);
    assert_int_equal(frame_owner(m), FRAME_OWNER_FREE);
    assert_null(guest_page_pin(wt_domain, gfn(WT_PAGES), &none));
    assert_null(guest_page_pin(wt_domain, gfn(UINT64_MAX), &none));
}

/* ---- Double-fetch detector ---- */

static void detector_reports_second_read(void **state)
{
    struct fake_fetch_report report;
    uint64_t data = 0x1122334455667788UL;
    uint64_t a = 0;
    uint32_t b = 0;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    fixture_phys_put(wt_domain, 0x5010, &data, 8);
    fake_fetch_begin(FAKE_FLIP);
    assert_int_equal(guest_copy_in(wt_vcpu, &a, guest_ref(0x12345010), 8), 0);
    assert_int_equal(guest_copy_in(wt_vcpu, &b, guest_ref(0x12345014), 4), 0);
    fake_fetch_end(&report);
    assert_int_equal(a, data);
    assert_int_equal(b, (uint32_t) ~(data >> 32));
    assert_int_equal(report.read_count, 12);
    assert_int_equal(report.violation_count, 4);
    assert_int_equal(report.first.v,
                     mfn_to_hpa(p2m_lookup(&wt_domain->p2m, gfn(5)).mfn).v +
                         0x14);
    /* The guest's data is back. */
    assert_int_equal(fixture_phys_u64(wt_domain, 0x5010), data);
}

static void detector_accepts_one_read_and_keeps_writes(void **state)
{
    struct fake_fetch_report report;
    uint64_t data = 1;
    uint64_t a;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    fixture_phys_put(wt_domain, 0x5010, &data, 8);
    for (int how = FAKE_FLIP; how <= FAKE_RANDOM; how++) {
        fake_fetch_begin((enum fake_hostility)how);
        assert_int_equal(guest_copy_in(wt_vcpu, &a, guest_ref(0x12345010), 8),
                         0);
        data++;
        assert_int_equal(
            guest_copy_out(wt_vcpu, guest_ref(0x12345010), &data, 8), 0);
        fake_fetch_end(&report);
        assert_int_equal(report.violation_count, 0);
        assert_int_equal(a, data - 1);
        assert_int_equal(fixture_phys_u64(wt_domain, 0x5010), data);
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
        store_release(pte, (i & 1 ? 0x6000 : 0x5000) | WT_PWU);
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
    fixture_phys_put(wt_domain, 0x5000, &one, 4);
    fixture_phys_put(wt_domain, 0x6000, &two, 4);
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    at = fixture_pte(&wt_tables, 0x12345000, 1);
    store_release(&stop, 0);
    assert_int_equal(
        pthread_create(
            &thread, NULL, changer_thread,
            (uint8_t *)host_ptr(mfn_to_hpa(
                p2m_lookup(&wt_domain->p2m, gfn(at >> PAGE_SHIFT)).mfn)) +
                (at & ~PAGE_MASK)),
        0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t value = 0;
        int rc = guest_linear_read(wt_vcpu, &value, gva(0x12345000), 4,
                                   ACCESS_READ, false, &wt_fault);

        if (rc == 0) {
            assert_true(value == 1 || value == 2);
            ok++;
        } else {
            assert_true(wt_fault.is_page_fault);
        }
        quiesce_point();
    }
    store_release(&stop, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(ok > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WT_CASE(code_refresh_changes_nothing_and_needs_no_memory),
        WT_CASE(copy_to_frames_crosses_pages_on_both_sides),
        WT_CASE(pages_pin_of_scattered_frames_is_that_of_each),
        WT_CASE(copy_round_trip_over_pages_is_exact),
        WT_CASE(copy_out_second_page_missing_writes_first),
        WT_CASE(linear_write_second_page_missing_writes_nothing),
        WT_CASE(copy_wraps_at_4g_without_long_mode),
        WT_CASE(copy_to_mmio_or_read_only_memory_is_refused),
        WT_CASE(phys_copies_over_pages_are_exact_up_to_the_end),
        WT_CASE(phys_copies_ignore_monitor_rights),
        WT_CASE(page_pin_outlives_unmap),
        WT_CASE(detector_reports_second_read),
        WT_CASE(detector_accepts_one_read_and_keeps_writes),
        WT_CASE(copy_concurrent_with_entry_changes_sees_old_or_new),
    };

    return cmocka_run_group_tests_name("guest_copy", tests, NULL, NULL);
}
