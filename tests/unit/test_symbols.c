/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by address, from a table written out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "debug/symbols_table.h"
#include "ravelin/symbols.h"

#define BASE 0xffffffff80200000UL

/* entry at 0, p2m_lookup at 0x90, p2m_lock at 0x190 (two bytes of distance). */
const uint64_t symbols_base = BASE;
const uint64_t symbols_end = BASE + 0x200;
const uint32_t symbols_count = 3;
const uint8_t symbols_stream[] = {
    0x00, 0,   'e', 'n', 't', 'r', 'y', 0,   /* entry */
    0x90, 1,   0,   'p', '2', 'm', '_', 'l', /* p2m_lookup */
    'o',  'o', 'k', 'u', 'p', 0,             /**/
    0x80, 2,   6,   'c', 'k', 0,             /* p2m_lo + ck */
};

static void format_gives_the_function_that_holds_the_address(void **state)
{
    static const struct {
        uint64_t at;
        const char *text;
    } row[] = {
        {0, "entry+0x0"},         {0x8f, "entry+0x8f"},
        {0x90, "p2m_lookup+0x0"}, {0x18f, "p2m_lookup+0xff"},
        {0x190, "p2m_lock+0x0"},  {0x1ff, "p2m_lock+0x6f"},
    };
    char text[SYMBOLS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
        symbols_format(text, sizeof(text), BASE + row[i].at);
        assert_string_equal(text, row[i].text);
    }
}

static void lookup_outside_the_code_finds_nothing(void **state)
{
    char name[SYMBOLS_NAME_MAX] = "untouched";
    uint64_t offset = 7;

    (void)state;
    assert_false(symbols_lookup(BASE - 1, name, &offset));
    assert_false(symbols_lookup(BASE + 0x200, name, &offset));
    assert_false(symbols_lookup(0, name, &offset));
    assert_string_equal(name, "untouched");
    assert_int_equal(offset, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_gives_the_function_that_holds_the_address),
        cmocka_unit_test(lookup_outside_the_code_finds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
