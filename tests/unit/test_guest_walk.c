/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest page walks in all modes a guest may use: translations, exact faults,
 * reserved bits, accessed and dirty bits.
 */

#include "walk_fixture.h"

static void expect_gpa(uint64_t a, uint8_t access, bool user, uint64_t want)
{
    uint64_t got;

    assert_int_equal(wt_translate(a, access, user, &got), 0);
    assert_int_equal(got, want);
}

static void expect_pf(uint64_t a, uint8_t access, bool user, uint32_t error)
{
    uint64_t got;

    assert_int_equal(wt_translate(a, access, user, &got), -RV_EFAULT);
    assert_true(wt_fault.is_page_fault);
    assert_int_equal(wt_fault.error, error);
    assert_int_equal(wt_fault.gva.v, a);
}

/* ---- Modes ---- */

static void walk_paging_off_is_identity(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_OFF);
    expect_gpa(0x12345, ACCESS_WRITE, true, 0x12345);
    expect_gpa(0x100012345, ACCESS_READ, false, 0x12345);
}

static void walk_long_4k_2m_1g_translates(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x7f1234567000, 0x5000);
    fixture_pte_set(&wt_tables, 0x40000000, 2, 0x200000 | WT_PWU | PTE_PS);
    fixture_pte_set(&wt_tables, 0xffff808000000000, 3,
                    0x40000000 | WT_PWU | PTE_PS);
    expect_gpa(0x7f1234567abc, ACCESS_READ, true, 0x5abc);
    expect_gpa(0x401abcde, ACCESS_WRITE, true, 0x3abcde);
    expect_gpa(0xffff808012345678, ACCESS_EXEC, false, 0x52345678);
}

static void walk_pae_4k_2m_translates(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_PAE);
    fixture_map(&wt_tables, 0xc0001000, 0x6000);
    fixture_pte_set(&wt_tables, 0x40200000, 2, 0x100000000 | WT_PWU | PTE_PS);
    expect_gpa(0xc0001fff, ACCESS_WRITE, true, 0x6fff);
    expect_gpa(0x40212345, ACCESS_READ, true, 0x100012345);
    /* Addresses have 32 bits here. */
    expect_gpa(0x1c0001fff, ACCESS_READ, true, 0x6fff);
}

static void walk_32_4k_4m_and_pse36_translates(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_32);
    fixture_map(&wt_tables, 0xffc01000, 0x7000);
    fixture_pte_set(&wt_tables, 0x00400000, 2, 0x00c00000 | WT_PWU | PTE_PS);
    /* Bits 13-20 are address bits 32-39: here 0x12. */
    fixture_pte_set(&wt_tables, 0x00800000, 2,
                    0x00400000 | 0x12 << 13 | WT_PWU | PTE_PS);
    expect_gpa(0xffc01123, ACCESS_READ, true, 0x7123);
    expect_gpa(0x004abcde, ACCESS_WRITE, true, 0x00cabcde);
    expect_gpa(0x00812345, ACCESS_WRITE, true, 0x1200412345);
}

static void walk_32_without_pse_ignores_the_bit(void **state)
{
    uint64_t table;

    (void)state;
    wt_start(FIXTURE_PAGING_32);
    wt_creg_change(CREG_CR4, 0, CR4_PSE);
    fixture_map(&wt_tables, 0x00401000, 0x8000);
    table = fixture_pte_get(&wt_tables, 0x00400000, 2);
    fixture_pte_set(&wt_tables, 0x00400000, 2, table | PTE_PS);
    expect_gpa(0x00401234, ACCESS_READ, true, 0x8234);
}

static void walk_noncanonical_is_reported(void **state)
{
    uint64_t got;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    assert_int_equal(wt_translate(0x0000800000000000, ACCESS_READ, true, &got),
                     -RV_EFAULT);
    assert_true(wt_fault.is_noncanonical);
    assert_false(wt_fault.is_page_fault);
    assert_int_equal(wt_translate(0xfffe800000000000, ACCESS_READ, true, &got),
                     -RV_EFAULT);
    assert_true(wt_fault.is_noncanonical);
}

/* ---- Faults ---- */

static void walk_not_present_each_level(void **state)
{
    static const struct {
        enum fixture_paging mode;
        unsigned levels;
    } modes[] = {{FIXTURE_PAGING_64, 4},
                 {FIXTURE_PAGING_PAE, 3},
                 {FIXTURE_PAGING_32, 2}};

    (void)state;
    for (unsigned m = 0; m < ARRAY_SIZE(modes); m++) {
        for (unsigned level = 1; level <= modes[m].levels; level++) {
            wt_start(modes[m].mode);
            fixture_map(&wt_tables, 0x12345000, 0x5000);
            expect_gpa(0x12345000, ACCESS_READ, true, 0x5000);
            fixture_pte_set(&wt_tables, 0x12345000, level, ~PTE_P & 0xfff);
            expect_pf(0x12345678, ACCESS_READ, false, 0);
            expect_pf(0x12345678, ACCESS_WRITE, false, PF_WRITE);
            expect_pf(0x12345678, ACCESS_READ, true, PF_USER);
            expect_pf(0x12345678, ACCESS_WRITE, true, PF_USER | PF_WRITE);
            expect_pf(0x12345678, ACCESS_READ | ACCESS_WRITE, true,
                      PF_USER | PF_WRITE);
            expect_pf(0x12345678, ACCESS_EXEC, true,
                      modes[m].mode == FIXTURE_PAGING_32 ? PF_USER
                                                         : PF_USER | PF_FETCH);
        }
    }
}

static void walk_rights_are_the_weakest_of_all_levels(void **state)
{
    (void)state;
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t value;

        wt_start(FIXTURE_PAGING_64);
        fixture_map(&wt_tables, 0x12345000, 0x5000);
        value = fixture_pte_get(&wt_tables, 0x12345000, level);

        fixture_pte_set(&wt_tables, 0x12345000, level, value & ~PTE_W);
        expect_gpa(0x12345000, ACCESS_READ, true, 0x5000);
        expect_pf(0x12345000, ACCESS_WRITE, true,
                  PF_PRESENT | PF_WRITE | PF_USER);
        expect_pf(0x12345000, ACCESS_WRITE, false, PF_PRESENT | PF_WRITE);
        wt_creg_change(CREG_CR0, 0, CR0_WP);
        expect_gpa(0x12345000, ACCESS_WRITE, false, 0x5000);
        expect_pf(0x12345000, ACCESS_WRITE, true,
                  PF_PRESENT | PF_WRITE | PF_USER);
        wt_creg_change(CREG_CR0, CR0_WP, 0);

        fixture_pte_set(&wt_tables, 0x12345000, level, value & ~PTE_U);
        expect_pf(0x12345000, ACCESS_READ, true, PF_PRESENT | PF_USER);
        expect_gpa(0x12345000, ACCESS_WRITE, false, 0x5000);

        fixture_pte_set(&wt_tables, 0x12345000, level, value | PTE_NX);
        expect_gpa(0x12345000, ACCESS_WRITE, true, 0x5000);
        expect_pf(0x12345000, ACCESS_EXEC, true,
                  PF_PRESENT | PF_USER | PF_FETCH);
        expect_pf(0x12345000, ACCESS_EXEC, false, PF_PRESENT | PF_FETCH);
    }
}

static void walk_smep_refuses_supervisor_fetch_of_user_page(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    expect_gpa(0x12345000, ACCESS_EXEC, false, 0x5000);
    wt_creg_change(CREG_CR4, CR4_SMEP, 0);
    expect_pf(0x12345000, ACCESS_EXEC, false, PF_PRESENT | PF_FETCH);
    expect_gpa(0x12345000, ACCESS_EXEC, true, 0x5000);
    expect_gpa(0x12345000, ACCESS_READ, false, 0x5000);
    /* Also without NX a fetch is told apart then. */
    wt_creg_change(CREG_EFER, 0, EFER_NXE);
    expect_pf(0x12345000, ACCESS_EXEC, false, PF_PRESENT | PF_FETCH);
    expect_pf(0x22345000, ACCESS_EXEC, true, PF_USER | PF_FETCH);
}

static void walk_nx_is_reserved_without_nxe(void **state)
{
    uint64_t value;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    value = fixture_pte_get(&wt_tables, 0x12345000, 1);
    fixture_pte_set(&wt_tables, 0x12345000, 1, value | PTE_NX);
    wt_creg_change(CREG_EFER, 0, EFER_NXE);
    expect_pf(0x12345000, ACCESS_READ, true,
              PF_PRESENT | PF_RESERVED | PF_USER);
    /* And without NXE and SMEP a fetch is not told apart. */
    expect_pf(0x12345000, ACCESS_EXEC, true,
              PF_PRESENT | PF_RESERVED | PF_USER);
}

/* Every bit of every entry, against the manual's tables. */
static uint64_t reserved_by_manual(enum fixture_paging mode, unsigned level,
                                   bool large)
{
    uint64_t high = 0x000fc00000000000UL; /* bits 46-51: fake_phys_bits */

    switch (mode) {
    case FIXTURE_PAGING_64:
        if (level == 4) {
            return high | 0x80;
        }
        if (large) {
            return high | (level == 3 ? 0x3fffe000UL : 0x1fe000UL);
        }
        return high;
    case FIXTURE_PAGING_PAE:
        if (level == 3) {
            /* Bit 5 is let pass: QEMU sets it like an accessed bit. */
            return high | 0xfff0000000000000UL | 0x1c6;
        }
        return high | 0x7ff0000000000000UL | (large ? 0x1fe000UL : 0);
    default:
        return large ? 0x200000UL : 0;
    }
}

static void reserved_check(enum fixture_paging mode, unsigned level, bool large)
{
    uint64_t reserved = reserved_by_manual(mode, level, large);
    unsigned bits = mode == FIXTURE_PAGING_32 ? 32 : 64;
    uint64_t value;
    uint64_t got;

    wt_start(mode);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    if (large) {
        fixture_pte_set(&wt_tables, 0x12345000, level,
                        0x40000000 | WT_PWU | PTE_PS);
    }
    value = fixture_pte_get(&wt_tables, 0x12345000, level);
    for (unsigned bit = 1; bit < bits; bit++) {
        bool is_reserved = (reserved >> bit) & 1;

        /* PS turns the entry into something else unless it is reserved. */
        if (((value >> bit) & 1) || (bit == 7 && level > 1 && !is_reserved)) {
            continue;
        }
        fixture_pte_set(&wt_tables, 0x12345000, level, value | 1UL << bit);
        (void)!wt_translate(0x12345000, ACCESS_READ, false, &got);
        assert_int_equal(wt_fault.is_page_fault &&
                             (wt_fault.error & PF_RESERVED),
                         is_reserved);
        if (is_reserved) {
            assert_int_equal(wt_fault.error, PF_PRESENT | PF_RESERVED);
        }
    }
}

static void walk_reserved_bits_match_the_manual(void **state)
{
    (void)state;
    for (unsigned level = 1; level <= 4; level++) {
        reserved_check(FIXTURE_PAGING_64, level, false);
    }
    reserved_check(FIXTURE_PAGING_64, 2, true);
    reserved_check(FIXTURE_PAGING_64, 3, true);
    for (unsigned level = 1; level <= 3; level++) {
        reserved_check(FIXTURE_PAGING_PAE, level, false);
    }
    reserved_check(FIXTURE_PAGING_PAE, 2, true);
    reserved_check(FIXTURE_PAGING_32, 1, false);
    reserved_check(FIXTURE_PAGING_32, 2, false);
    reserved_check(FIXTURE_PAGING_32, 2, true);
}

static void walk_pse36_beyond_the_machine_is_reserved(void **state)
{
    (void)state;
    fake_phys_bits = 36;
    wt_start(FIXTURE_PAGING_32);
    fixture_pte_set(&wt_tables, 0x00800000, 2,
                    0x00400000 | 0x0f << 13 | WT_PWU | PTE_PS);
    expect_gpa(0x00800000, ACCESS_READ, true, 0xf00400000);
    fixture_pte_set(&wt_tables, 0x00800000, 2,
                    0x00400000 | 0x10 << 13 | WT_PWU | PTE_PS);
    expect_pf(0x00800000, ACCESS_READ, true,
              PF_PRESENT | PF_RESERVED | PF_USER);
}

static void walk_table_outside_ram_is_no_page_fault(void **state)
{
    uint64_t got;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    fixture_pte_set(&wt_tables, 0x12345000, 3, 0x80000000 | WT_PWU);
    assert_int_equal(wt_translate(0x12345000, ACCESS_READ, true, &got),
                     -RV_EFAULT);
    assert_false(wt_fault.is_page_fault);
    assert_false(wt_fault.is_noncanonical);
    assert_int_equal(wt_fault.gpa.v,
                     0x80000000 + ((0x12345000 >> 21) & 511) * 8);
}

/* ---- Accessed and dirty ---- */

static void walk_sets_accessed_and_dirty(void **state)
{
    static const enum fixture_paging modes[] = {
        FIXTURE_PAGING_64, FIXTURE_PAGING_PAE, FIXTURE_PAGING_32};
    static const unsigned levels[] = {4, 2, 2}; /* below PAE's top */

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        wt_start(modes[m]);
        fixture_map(&wt_tables, 0x12345000, 0x5000);
        expect_gpa(0x12345000, ACCESS_READ, false, 0x5000);
        for (unsigned level = 1; level <= levels[m]; level++) {
            uint64_t value = fixture_pte_get(&wt_tables, 0x12345000, level);

            assert_int_equal(value & (PTE_A | PTE_D), PTE_A);
        }
        expect_gpa(0x12345000, ACCESS_WRITE, false, 0x5000);
        assert_int_equal(fixture_pte_get(&wt_tables, 0x12345000, 1) &
                             (PTE_A | PTE_D),
                         PTE_A | PTE_D);
        assert_int_equal(fixture_pte_get(&wt_tables, 0x12345000, 2) & PTE_D, 0);
    }
    wt_start(FIXTURE_PAGING_PAE);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    expect_gpa(0x12345000, ACCESS_WRITE, false, 0x5000);
    assert_int_equal(fixture_pte_get(&wt_tables, 0x12345000, 3) & PTE_A, 0);
}

/* One word serves as entry of all three levels. */
static void walk_pae_recursive_entry_is_marked(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_PAE);
    fixture_pte_set(&wt_tables, 0, 3, WT_TABLES | PTE_P);
    for (unsigned i = 0; i < 2; i++) {
        expect_gpa(0x18, ACCESS_READ, false, WT_TABLES + 0x18);
        assert_int_equal(fixture_phys_u64(wt_domain, WT_TABLES),
                         WT_TABLES | PTE_P | PTE_A);
    }
}

static void walk_failed_write_sets_no_dirty(void **state)
{
    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_pte_set(&wt_tables, 0x12345000, 1, 0x5000 | PTE_P | PTE_U);
    expect_pf(0x12345000, ACCESS_WRITE, true, PF_PRESENT | PF_WRITE | PF_USER);
    assert_int_equal(fixture_pte_get(&wt_tables, 0x12345000, 1) & PTE_D, 0);
}

/* A monitor's rights are about the guest's instructions, not its walks. */
static void walk_accessed_in_watched_table_is_marked(void **state)
{
    uint64_t table;
    uint64_t got;

    (void)state;
    wt_start(FIXTURE_PAGING_64);
    fixture_map(&wt_tables, 0x12345000, 0x5000);
    table = fixture_pte(&wt_tables, 0x12345000, 1);
    wt_p2m_rights(table >> PAGE_SHIFT, 0);
    assert_int_equal(wt_translate(0x12345000, ACCESS_READ, false, &got), 0);
    assert_int_equal(got, 0x5000);
    assert_true(fixture_pte_get(&wt_tables, 0x12345000, 1) & PTE_A);
    wt_p2m_rights(table >> PAGE_SHIFT, ACCESS_ALL);
    fixture_pte_set(&wt_tables, 0x12345000, 1, 0x5000 | WT_PWU | PTE_A);
    wt_p2m_rights(table >> PAGE_SHIFT, ACCESS_READ);
    expect_gpa(0x12345000, ACCESS_READ, false, 0x5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WT_CASE(walk_paging_off_is_identity),
        WT_CASE(walk_long_4k_2m_1g_translates),
        WT_CASE(walk_pae_4k_2m_translates),
        WT_CASE(walk_32_4k_4m_and_pse36_translates),
        WT_CASE(walk_32_without_pse_ignores_the_bit),
        WT_CASE(walk_noncanonical_is_reported),
        WT_CASE(walk_not_present_each_level),
        WT_CASE(walk_rights_are_the_weakest_of_all_levels),
        WT_CASE(walk_smep_refuses_supervisor_fetch_of_user_page),
        WT_CASE(walk_nx_is_reserved_without_nxe),
        WT_CASE(walk_reserved_bits_match_the_manual),
        WT_CASE(walk_pse36_beyond_the_machine_is_reserved),
        WT_CASE(walk_table_outside_ram_is_no_page_fault),
        WT_CASE(walk_sets_accessed_and_dirty),
        WT_CASE(walk_pae_recursive_entry_is_marked),
        WT_CASE(walk_failed_write_sets_no_dirty),
        WT_CASE(walk_accessed_in_watched_table_is_marked),
    };

    return cmocka_run_group_tests_name("guest_walk", tests, NULL, NULL);
}
