/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formatter against expected texts and, for every conversion both know,
 * against the host's libc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ravelin/fmt.h"
#include "ravelin/string.h"

static char text[128];

#define ASSERT_SAME(...)                                                    \
    do {                                                                    \
        char want[128];                                                     \
        int n = snprintf(want, sizeof(want), __VA_ARGS__);                  \
        assert_int_equal(fmt_snprintf(text, sizeof(text), __VA_ARGS__), n); \
        assert_string_equal(text, want);                                    \
    } while (0)

static void snprintf_integers_match_libc(void **state)
{
    (void)state;
    ASSERT_SAME("%d %i %u", -5, 7, 4294967295u);
    ASSERT_SAME("%d %d", INT32_MIN, INT32_MAX);
    ASSERT_SAME("%ld %lu", INT64_MIN, UINT64_MAX);
    ASSERT_SAME("%lld %llx", (long long)-1, 0xdeadbeefcafeULL);
    ASSERT_SAME("%x %X %o", 0xabcdu, 0xabcdu, 0755u);
    ASSERT_SAME("%zu %jd %td", (size_t)9, (intmax_t)-9, (ptrdiff_t)-3);
    ASSERT_SAME("%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)200,
                (short)-2, (unsigned short)65535);
}

static void snprintf_flags_match_libc(void **state)
{
    (void)state;
    ASSERT_SAME("[%5d][%-5d][%05d][%+d][% d]", 42, 42, 42, 42, 42);
    ASSERT_SAME("[%05d][%+05d][%-+5d]", -42, 42, 42);
    ASSERT_SAME("[%#x][%#010x][%-#8x][%#o]", 255u, 255u, 255u, 8u);
    ASSERT_SAME("[%.5d][%8.5d][%-8.5d][%.0d]", 42, 42, 42, 0);
    ASSERT_SAME("[%*d][%-*d][%.*d]", 6, 42, 6, 42, 4, 42);
    ASSERT_SAME("[%*d]", -6, 42);
    ASSERT_SAME("[%016lx]", 0x1234UL);
}

static void snprintf_text_matches_libc(void **state)
{
    (void)state;
    ASSERT_SAME("%s|%10s|%-10s|%.2s", "abc", "abc", "abc", "abc");
    ASSERT_SAME("%c|%3c|%-3c|%%", 'x', 'y', 'z');
    ASSERT_SAME("%p", (void *)0xffff800000001000UL);
}

static void snprintf_precision_bounds_unterminated_text(void **state)
{
    (void)state;
    const char raw[3] = {'a', 'b', 'c'};

    assert_int_equal(fmt_snprintf(text, sizeof(text), "%.*s", 3, raw), 3);
    assert_string_equal(text, "abc");
}

static void snprintf_null_string_is_named(void **state)
{
    (void)state;
    const char *volatile none = NULL;

    assert_int_equal(fmt_snprintf(text, sizeof(text), "%s", none), 6);
    assert_string_equal(text, "(null)");
}

static void snprintf_short_buffer_cuts_and_terminates(void **state)
{
    (void)state;
    char small[4] = {1, 2, 3, 4};

    assert_int_equal(fmt_snprintf(small, 3, "%d", 12345), 5);
    assert_string_equal(small, "12");
    assert_int_equal(small[3], 4);
    assert_int_equal(fmt_snprintf(small, 0, "%d", 12345), 5);
    assert_int_equal(small[0], '1');
}

static void snprintf_unknown_conversion_is_copied(void **state)
{
    (void)state;
    const char *volatile odd = "a %q b";
    const char *volatile cut = "end %";
    const char *volatile cut_long = "end %5l";

    /* Formats that the compiler must not check. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    assert_int_equal(fmt_snprintf(text, sizeof(text), odd), 6);
    assert_string_equal(text, "a %q b");
    assert_int_equal(fmt_snprintf(text, sizeof(text), cut), 5);
    assert_string_equal(text, "end %");
    assert_int_equal(fmt_snprintf(text, sizeof(text), cut_long), 7);
    assert_string_equal(text, "end %5l");
#pragma GCC diagnostic pop
}

static void snprintf_huge_width_is_clamped(void **state)
{
    (void)state;
    const volatile int width = INT32_MIN;

    assert_int_equal(fmt_snprintf(text, sizeof(text), "%*d", width, 1), 9999);
    assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snprintf_integers_match_libc),
        cmocka_unit_test(snprintf_flags_match_libc),
        cmocka_unit_test(snprintf_text_matches_libc),
        cmocka_unit_test(snprintf_precision_bounds_unterminated_text),
        cmocka_unit_test(snprintf_null_string_is_named),
        cmocka_unit_test(snprintf_short_buffer_cuts_and_terminates),
        cmocka_unit_test(snprintf_unknown_conversion_is_copied),
        cmocka_unit_test(snprintf_huge_width_is_clamped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
