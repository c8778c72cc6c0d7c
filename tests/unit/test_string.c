/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's string functions, compiled here under other names from the same
 * files, against the host's libc; and the functions libc does not have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define memcpy image_memcpy
#define memmove image_memmove
#define memset image_memset
#define memcmp image_memcmp
#define memchr image_memchr
#define strlen image_strlen
#define strnlen image_strnlen
#define strcmp image_strcmp
#define strncmp image_strncmp
#define strchr image_strchr
#define strrchr image_strrchr
#define string_copy image_string_copy
#define string_copy_bounded image_string_copy_bounded
#define string_to_u64 image_string_to_u64
#include "ravelin/compiler.h"

#include "../../src/lib/string.c"
#include "../../src/lib/text.c"
#if defined(__x86_64__)
#include "../../src/arch/x86/cpu/memops.c"
#endif
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef string_copy
#undef string_copy_bounded
#undef string_to_u64

#define SIZE 256

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void fill(uint8_t *p, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        p[i] = (uint8_t)(i * 31 + seed);
    }
}

static void memcpy_any_size_and_alignment_copies_exactly(void **state)
{
    (void)state;
    for (size_t size = 0; size < 80; size++) {
        for (size_t at = 0; at < 9; at++) {
            uint8_t from[SIZE];
            uint8_t to[SIZE];
            uint8_t want[SIZE];

            fill(from, SIZE, 1);
            fill(to, SIZE, 7);
            memcpy(want, to, SIZE);
            memcpy(want + at, from + 3, size);
            assert_ptr_equal(image_memcpy(to + at, from + 3, size), to + at);
            assert_memory_equal(to, want, SIZE);
        }
    }
}

static void memmove_every_overlap_matches_libc(void **state)
{
    (void)state;
    for (size_t size = 0; size < 60; size++) {
        for (size_t to = 0; to < 40; to++) {
            uint8_t got[SIZE];
            uint8_t want[SIZE];

            fill(got, SIZE, 1);
            fill(want, SIZE, 1);
            memmove(want + to, want + 20, size);
            assert_ptr_equal(image_memmove(got + to, got + 20, size), got + to);
            assert_memory_equal(got, want, SIZE);
        }
    }
}

static void memset_any_size_fills_exactly(void **state)
{
    (void)state;
    for (size_t size = 0; size < 80; size++) {
        uint8_t got[SIZE] = {0};
        uint8_t want[SIZE] = {0};

        memset(want + 5, 0xa7, size);
        assert_ptr_equal(image_memset(got + 5, 0x12a7, size), got + 5);
        assert_memory_equal(got, want, SIZE);
    }
}

static void memcmp_orders_by_first_different_byte(void **state)
{
    (void)state;
    assert_int_equal(image_memcmp("abc", "abc", 3), 0);
    assert_true(image_memcmp("abc", "abd", 3) < 0);
    assert_true(image_memcmp("\xff", "\x01", 1) > 0);
    assert_int_equal(image_memcmp("a", "b", 0), 0);
}

static void memchr_finds_first_within_size_only(void **state)
{
    (void)state;
    const char s[] = "hello";

    assert_ptr_equal(image_memchr(s, 'l', 5), s + 2);
    assert_null(image_memchr(s, 'o', 4));
    assert_null(image_memchr(s, 'h', 0));
}

static void strings_match_libc(void **state)
{
    (void)state;
    static const char *const sample[] = {"",    "a", "ab",   "abc",
                                         "abd", "b", "\xff", "a/b/c"};

    for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
        const char *a = sample[i];

        assert_int_equal(image_strlen(a), strlen(a));
        assert_int_equal(image_strnlen(a, 2), strnlen(a, 2));
        assert_ptr_equal(image_strchr(a, '/'), strchr(a, '/'));
        assert_ptr_equal(image_strchr(a, 0), strchr(a, 0));
        assert_ptr_equal(image_strrchr(a, '/'), strrchr(a, '/'));
        for (size_t j = 0; j < ARRAY_SIZE(sample); j++) {
            const char *b = sample[j];

            assert_int_equal(sign(image_strcmp(a, b)), sign(strcmp(a, b)));
            assert_int_equal(sign(image_strncmp(a, b, 2)),
                             sign(strncmp(a, b, 2)));
        }
    }
}

static void string_copy_fitting_text_is_whole(void **state)
{
    (void)state;
    char to[4] = {9, 9, 9, 9};

    assert_true(image_string_copy(to, 4, "abc"));
    assert_string_equal(to, "abc");
}

static void string_copy_long_text_is_cut_and_terminated(void **state)
{
    (void)state;
    char to[5] = {9, 9, 9, 9, 9};

    assert_false(image_string_copy(to, 4, "abcd"));
    assert_string_equal(to, "abc");
    assert_int_equal(to[4], 9);
}

static void string_copy_bounded_stops_at_length_and_nul(void **state)
{
    (void)state;
    const char raw[3] = {'x', 'y', 'z'};
    char to[8];

    assert_true(image_string_copy_bounded(to, 8, raw, 3));
    assert_string_equal(to, "xyz");
    assert_true(image_string_copy_bounded(to, 8, "a\0b", 3));
    assert_string_equal(to, "a");
}

static void string_to_u64_reads_both_bases(void **state)
{
    (void)state;
    uint64_t n = 0;
    const char *s = "123,";

    assert_ptr_equal(image_string_to_u64(s, &n), s + 3);
    assert_int_equal(n, 123);
    assert_non_null(image_string_to_u64("0xFfffFFFFffffffff", &n));
    assert_true(n == UINT64_MAX);
    assert_non_null(image_string_to_u64("18446744073709551615", &n));
    assert_true(n == UINT64_MAX);
    assert_non_null(image_string_to_u64("0", &n));
    assert_int_equal(n, 0);
}

static void string_to_u64_overflow_or_no_digits_is_refused(void **state)
{
    (void)state;
    uint64_t n = 77;

    assert_null(image_string_to_u64("18446744073709551616", &n));
    assert_null(image_string_to_u64("0x10000000000000000", &n));
    assert_null(image_string_to_u64("", &n));
    assert_null(image_string_to_u64("-1", &n));
    assert_null(image_string_to_u64("0x", &n));
    assert_null(image_string_to_u64(" 1", &n));
    assert_int_equal(n, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memcpy_any_size_and_alignment_copies_exactly),
        cmocka_unit_test(memmove_every_overlap_matches_libc),
        cmocka_unit_test(memset_any_size_fills_exactly),
        cmocka_unit_test(memcmp_orders_by_first_different_byte),
        cmocka_unit_test(memchr_finds_first_within_size_only),
        cmocka_unit_test(strings_match_libc),
        cmocka_unit_test(string_copy_fitting_text_is_whole),
        cmocka_unit_test(string_copy_long_text_is_cut_and_terminated),
        cmocka_unit_test(string_copy_bounded_stops_at_length_and_nul),
        cmocka_unit_test(string_to_u64_reads_both_bases),
        cmocka_unit_test(string_to_u64_overflow_or_no_digits_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
