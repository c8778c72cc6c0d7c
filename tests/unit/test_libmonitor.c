/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmonitor over page tables and stacks made here: every paging mode, the
 * names of programs, a kernel's code; and guests that lie with all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xen/errno.h>

#include "libmonitor_memory.h"

#define P 1ull
#define RW 2ull
#define US 4ull
#define PS 0x80ull
#define NX (1ull << 63)

#define MON (&libmonitor_memory.monitor)

static void put64(uint64_t at, uint64_t value)
{
    memcpy(libmonitor_memory.ram + at, &value, sizeof(value));
}

static void put32(uint64_t at, uint32_t value)
{
    memcpy(libmonitor_memory.ram + at, &value, sizeof(value));
}

static int setup(void **state)
{
    (void)state;
    libmonitor_memory_reset();
    return 0;
}

static struct monitor_space long_mode(void)
{
    return (struct monitor_space){.root = 0x1000, .levels = 4, .has_nx = true};
}

/* Maps a 4 KiB page with tables at 0x1000, 0x2000, ... in long mode. */
static void map_long(uint64_t gva, uint64_t entry)
{
    put64(0x1000 + (gva >> 39 & 511) * 8, 0x2000 | P | RW | US);
    put64(0x2000 + (gva >> 30 & 511) * 8, 0x3000 | P | RW | US);
    put64(0x3000 + (gva >> 21 & 511) * 8, 0x4000 | P | RW | US);
    put64(0x4000 + (gva >> 12 & 511) * 8, entry);
}

/* ---- Spaces ---------------------------------------------------------------
 */

static void space_of_registers_tells_the_mode(void **state)
{
    struct ravelin_registers r = {.cr3 = 0x800000000012345full};

    (void)state;
    assert_int_equal(monitor_space_of(&r).levels, 0);
    r.cr0 = 1ull << 31;
    r.cr4 = 1 << 4;
    assert_int_equal(monitor_space_of(&r).levels, 2);
    assert_true(monitor_space_of(&r).has_large);
    assert_true(monitor_space_of(&r).root == 0x123000);
    r.cr4 = 1 << 5;
    assert_int_equal(monitor_space_of(&r).levels, 3);
    assert_true(monitor_space_of(&r).root == 0x123440);
    r.efer = 1 << 10 | 1 << 11;
    assert_int_equal(monitor_space_of(&r).levels, 4);
    assert_true(monitor_space_of(&r).root == 0x123000);
    assert_true(monitor_space_of(&r).has_nx);
    r.cr4 |= 1 << 12;
    assert_int_equal(monitor_space_of(&r).levels, 5);
}

/* ---- Translation ----------------------------------------------------------
 */

static void translate_long_mode_gives_address_and_rights(void **state)
{
    struct monitor_space s = long_mode();
    struct monitor_page page;

    (void)state;
    map_long(0x7f0012345000, 0x9000 | P | US | NX);
    assert_int_equal(monitor_translate(MON, &s, 0x7f0012345678, &page), 0);
    assert_true(page.gpa == 0x9678 && page.size == 4096);
    assert_int_equal(page.flags, MONITOR_PAGE_USER);
    assert_int_equal(monitor_translate(MON, &s, 0x7f0012346000, &page),
                     -XEN_ENOENT);
    assert_int_equal(monitor_translate(MON, &s, 0x8000000000000000, &page),
                     -XEN_EINVAL);
}

static void translate_rights_are_those_of_all_levels(void **state)
{
    struct monitor_space s = long_mode();
    struct monitor_page page;

    (void)state;
    map_long(0x1000, 0x9000 | P | RW | US);
    put64(0x2000, 0x3000 | P); /* read-only, supervisor */
    assert_int_equal(monitor_translate(MON, &s, 0x1000, &page), 0);
    assert_int_equal(page.flags, MONITOR_PAGE_EXEC);
}

static void translate_large_pages(void **state)
{
    struct monitor_space s = long_mode();
    struct monitor_page page;

    (void)state;
    put64(0x1000, 0x2000 | P | RW);
    put64(0x2000, 0x3000 | P | RW);
    put64(0x3000, 0x40000000 | P | RW | PS);
    put64(0x2008, 0x80000000 | P | PS);
    assert_int_equal(monitor_translate(MON, &s, 0x123456, &page), 0);
    assert_true(page.gpa == 0x40123456 && page.size == 2u << 20);
    assert_int_equal(monitor_translate(MON, &s, 0x40123456, &page), 0);
    assert_true(page.gpa == 0x80123456 && page.size == 1u << 30);
}

static void translate_two_levels_and_pse36(void **state)
{
    struct monitor_space s = {.root = 0x1000, .levels = 2, .has_large = true};
    struct monitor_page page;

    (void)state;
    put32(0x1000, 0x2007);
    put32(0x2000 + 4 * 5, 0x7007);
    put32(0x1004, 0x00c02087); /* bits 32-39 of the address: 1 */
    assert_int_equal(monitor_translate(MON, &s, 0x5123, &page), 0);
    assert_true(page.gpa == 0x7123);
    assert_int_equal(monitor_translate(MON, &s, 0x400123, &page), 0);
    assert_true(page.gpa == 0x100c00123ull && page.size == 4u << 20);
    s.has_large = false; /* then it is a table that is not there */
    assert_int_equal(monitor_translate(MON, &s, 0x400123, &page), -XEN_EFAULT);
    assert_int_equal(monitor_translate(MON, &s, 0x100000000, &page),
                     -XEN_EINVAL);
}

static void translate_three_levels_top_entries_have_no_rights(void **state)
{
    struct monitor_space s = {.root = 0x1020, .levels = 3, .has_nx = true};
    struct monitor_page page;

    (void)state;
    put64(0x1020 + 8 * 3, 0x2000 | P);
    put64(0x2000, 0x600000 | P | RW | US | PS);
    assert_int_equal(monitor_translate(MON, &s, 0xc0012345, &page), 0);
    assert_true(page.gpa == 0x612345);
    assert_int_equal(page.flags, MONITOR_PAGE_WRITE | MONITOR_PAGE_USER |
                                     MONITOR_PAGE_EXEC);
}

static void translate_paging_off_is_identity(void **state)
{
    struct monitor_space s = {.levels = 0};
    struct monitor_page page;

    (void)state;
    assert_int_equal(monitor_translate(MON, &s, 0x1234, &page), 0);
    assert_true(page.gpa == 0x1234);
}

static void linear_copies_cross_pages_and_stop_at_holes(void **state)
{
    struct monitor_space s = long_mode();
    char text[16] = "";

    (void)state;
    map_long(0x5000, 0x9000 | P | RW);
    put64(0x4000 + 6 * 8, 0xb000 | P | RW);
    assert_int_equal(monitor_write_linear(MON, &s, 0x5ffa, "hello world", 12),
                     0);
    assert_memory_equal(libmonitor_memory.ram + 0x9ffa, "hello ", 6);
    assert_memory_equal(libmonitor_memory.ram + 0xb000, "world", 6);
    assert_int_equal(monitor_read_linear(MON, &s, 0x5ffa, text, 12), 0);
    assert_string_equal(text, "hello world");
    assert_int_equal(monitor_read_linear(MON, &s, 0x6ffa, text, 12),
                     -XEN_ENOENT);
}

/* ---- All pages ------------------------------------------------------------
 */

static uint64_t seen[8];
static unsigned int seen_count;

static bool collect(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    unsigned int max = *(unsigned int *)ctx;

    (void)page;
    assert_true(seen_count < 8);
    seen[seen_count++] = gva;
    return seen_count < max;
}

static void pages_both_directions_and_stop(void **state)
{
    struct monitor_space s = long_mode();
    unsigned int max = 8;

    (void)state;
    map_long(0x5000, 0x9000 | P);
    map_long(0x7000, 0xa000 | P);
    put64(0x1000 + 511 * 8, 0x2000 | P); /* the same tables at the top */
    seen_count = 0;
    assert_int_equal(
        monitor_pages(MON, &s, 0, ~0ull >> 17, true, collect, &max), 0);
    assert_int_equal(seen_count, 2);
    assert_true(seen[0] == 0x5000 && seen[1] == 0x7000);
    seen_count = 0;
    assert_int_equal(monitor_pages(MON, &s, 0, ~0ull, false, collect, &max), 0);
    assert_int_equal(seen_count, 4);
    assert_true(seen[0] == 0xffffff8000007000 && seen[3] == 0x5000);
    seen_count = 0;
    max = 1;
    assert_int_equal(monitor_pages(MON, &s, 0x6000, ~0ull, true, collect, &max),
                     0);
    assert_true(seen_count == 1 && seen[0] == 0x7000);
}

static bool count_only(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    (void)gva;
    (void)page;
    ++*(uint64_t *)ctx;
    return true;
}

static void pages_of_tables_that_point_at_themselves_end(void **state)
{
    struct monitor_space s = long_mode();
    uint64_t count = 0;

    (void)state;
    for (unsigned int i = 0; i < 512; i++) {
        put64(0x1000 + 8 * i, 0x1000 | P | RW | US);
    }
    assert_int_equal(monitor_pages(MON, &s, 0, ~0ull, true, count_only, &count),
                     -XEN_E2BIG);
    assert_true(libmonitor_memory.read_count < 10000);
}

static void pages_tables_outside_memory_map_nothing(void **state)
{
    struct monitor_space s = long_mode();
    uint64_t count = 0;

    (void)state;
    map_long(0x5000, 0x9000 | P);
    put64(0x2000 + 8, 0xfffffff000 | P);
    assert_int_equal(monitor_pages(MON, &s, 0, ~0ull, true, count_only, &count),
                     0);
    assert_true(count == 1);
}

/* ---- Programs -------------------------------------------------------------
 */

#define STACK_PAGE 0x20000u
#define STACK_TOP 0x7ffc12346000ull
#define AT(gva) (STACK_PAGE + ((gva) - (STACK_TOP - 4096)))

struct stack_plan {
    const char *words[8];
    bool is_started; /* with vectors */
};

/* As execve() leaves it: words, environment, name, and eight zero bytes. */
static void stack_make(const struct stack_plan *plan)
{
    const char *strings[16];
    uint64_t at[16], name, p = STACK_TOP - 8;
    unsigned int argc = 0, count;

    map_long(STACK_TOP - 4096, STACK_PAGE | P | RW | US | NX);
    while (plan->words[argc] != NULL) {
        strings[argc] = plan->words[argc];
        argc++;
    }
    strings[argc] = "HOME=/";
    count = argc + 1;
    p -= strlen("/bin/busybox") + 1;
    name = p;
    strcpy((char *)libmonitor_memory.ram + AT(p), "/bin/busybox");
    for (unsigned int i = count; i > 0; i--) {
        p -= strlen(strings[i - 1]) + 1;
        at[i - 1] = p;
        strcpy((char *)libmonitor_memory.ram + AT(p), strings[i - 1]);
    }
    if (!plan->is_started) {
        return;
    }
    p = (p - 64) & ~15ull;
    strcpy((char *)libmonitor_memory.ram + AT(p), "x86_64");
    p -= 16 * 4 + 8 * (argc + 4);
    put64(AT(p), argc);
    p += 8;
    for (unsigned int i = 0; i < argc; i++, p += 8) {
        put64(AT(p), at[i]);
    }
    put64(AT(p + 8), at[argc]);
    p += 24; /* both vectors end with a zero */
    put64(AT(p), 33);
    put64(AT(p + 8), 0x7ffc12350000);
    put64(AT(p + 16), 6);
    put64(AT(p + 24), 4096);
    put64(AT(p + 32), 31);
    put64(AT(p + 40), name);
}

static enum monitor_program find(char *text)
{
    struct monitor_space s = long_mode();
    struct monitor_program_place place;

    return monitor_program_find(MON, &s, text, &place);
}

static void program_words_of_a_running_one(void **state)
{
    const struct stack_plan plan = {{"sh", "-c", "echo hi", NULL}, true};
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    stack_make(&plan);
    assert_int_equal(find(text), MONITOR_PROGRAM_RUNS);
    assert_string_equal(text, "sh -c echo hi");
}

static void program_first_word_while_it_is_started(void **state)
{
    const struct stack_plan plan = {{"cat", "/proc/stat", NULL}, false};
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    stack_make(&plan);
    assert_int_equal(find(text), MONITOR_PROGRAM_START);
    assert_string_equal(text, "cat");
}

static void program_is_found_below_the_vdso(void **state)
{
    const struct stack_plan plan = {{"init", NULL}, true};
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    stack_make(&plan);
    put64(0x4000 + (STACK_TOP + 0x3000) / 4096 % 512 * 8, 0x21000 | P | US);
    memcpy(libmonitor_memory.ram + 0x21000, "\177ELF", 4);
    assert_int_equal(find(text), MONITOR_PROGRAM_RUNS);
    assert_string_equal(text, "init");
}

static void program_long_words_are_cut(void **state)
{
    static char word[200];
    struct stack_plan plan = {{word, "second", NULL}, true};
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    memset(word, 'w', sizeof(word) - 1);
    stack_make(&plan);
    assert_int_equal(find(text), MONITOR_PROGRAM_RUNS);
    assert_int_equal(strlen(text), MONITOR_PROGRAM_MAX - 1);
}

static void program_none_without_a_stack(void **state)
{
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    assert_int_equal(find(text), MONITOR_PROGRAM_NONE);
    map_long(0x5000, 0x9000 | P | US);
    assert_int_equal(find(text), MONITOR_PROGRAM_NONE);
    assert_string_equal(text, "");
}

static void program_lies_about_words_are_harmless(void **state)
{
    const struct stack_plan plan = {{"sh", "x", NULL}, true};
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    /* Every word of the stack in turn becomes what hurts most. */
    for (unsigned int at = 0; at < 4096; at += 8) {
        static const uint64_t lies[] = {0, ~0ull, 1, STACK_TOP - 8, 31};

        for (unsigned int i = 0; i < 5; i++) {
            libmonitor_memory_reset();
            stack_make(&plan);
            put64(STACK_PAGE + at, lies[i]);
            (void)find(text);
            assert_true(memchr(text, 0, sizeof(text)) != NULL);
        }
    }
}

static void program_place_tells_when_the_stack_has_moved(void **state)
{
    const struct stack_plan plan = {{"sh", NULL}, true};
    struct monitor_space s = long_mode();
    struct monitor_program_place place;
    char text[MONITOR_PROGRAM_MAX];

    (void)state;
    stack_make(&plan);
    assert_int_equal(monitor_program_find(MON, &s, text, &place),
                     MONITOR_PROGRAM_RUNS);
    assert_true(monitor_program_is_same(MON, &place));
    put64(place.entry, STACK_PAGE | P | US); /* only rights have changed */
    assert_true(monitor_program_is_same(MON, &place));
    put64(place.entry, 0x22000 | P | RW | US);
    assert_false(monitor_program_is_same(MON, &place));
    put64(place.entry, 0);
    assert_false(monitor_program_is_same(MON, &place));
    place.entry = 1ull << 40;
    assert_false(monitor_program_is_same(MON, &place));
}

/* ---- The kernel's code ----------------------------------------------------
 */

static void text_is_protected_once_it_is_read_only(void **state)
{
    struct monitor_space s = long_mode();
    uint64_t frames = 0;

    (void)state;
    assert_int_equal(
        monitor_kernel_text_protect(MON, &s, MONITOR_ACCESS_RX, &frames),
        -XEN_EAGAIN);
    map_long(0xffffffff81000000, 0x9000 | P | RW);
    assert_int_equal(
        monitor_kernel_text_protect(MON, &s, MONITOR_ACCESS_RX, &frames),
        -XEN_EAGAIN);
    put64(0x4000, 0x9000 | P);
    put64(0x4008, 0xa000 | P | RW | NX); /* data */
    put64(0x4010, 0xb000 | P | US);      /* not the kernel's */
    put64(0x3000 + 9 * 8, 0x1200000 | P | PS);
    assert_int_equal(
        monitor_kernel_text_protect(MON, &s, MONITOR_ACCESS_RX, &frames), 0);
    assert_true(frames == 513 && libmonitor_memory.protected_frames == 513);
    assert_int_equal(libmonitor_memory.protected_access, MONITOR_ACCESS_RX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(space_of_registers_tells_the_mode),
        TEST(translate_long_mode_gives_address_and_rights),
        TEST(translate_rights_are_those_of_all_levels),
        TEST(translate_large_pages),
        TEST(translate_two_levels_and_pse36),
        TEST(translate_three_levels_top_entries_have_no_rights),
        TEST(translate_paging_off_is_identity),
        TEST(linear_copies_cross_pages_and_stop_at_holes),
        TEST(pages_both_directions_and_stop),
        TEST(pages_of_tables_that_point_at_themselves_end),
        TEST(pages_tables_outside_memory_map_nothing),
        TEST(program_words_of_a_running_one),
        TEST(program_first_word_while_it_is_started),
        TEST(program_is_found_below_the_vdso),
        TEST(program_long_words_are_cut),
        TEST(program_none_without_a_stack),
        TEST(program_lies_about_words_are_harmless),
        TEST(program_place_tells_when_the_stack_has_moved),
        TEST(text_is_protected_once_it_is_read_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
