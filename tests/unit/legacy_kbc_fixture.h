/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8042 with its keyboard as a driver and a person at the console see it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy/kbc_keyboard.h"
#include "legacy_fixture.h"
#include "ravelin/legacy_kbc.h"

#define OUTPUT 0x01u
#define AUX 0x20u

static struct legacy_fixture f;
static struct legacy_kbc kbc;

static inline int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    f.now = 1000000000u;
    legacy_kbc_init(&kbc, &f.host);
    return 0;
}

static inline uint8_t status(void)
{
    return legacy_kbc_read(&kbc, 0x64);
}

static inline void command(uint8_t value)
{
    legacy_kbc_write(&kbc, 0x64, value);
}

static inline void data(uint8_t value)
{
    legacy_kbc_write(&kbc, 0x60, value);
}

static inline uint8_t read_data(void)
{
    assert_true((status() & OUTPUT) != 0);
    return legacy_kbc_read(&kbc, 0x60);
}

static inline void require_empty(void)
{
    assert_int_equal(status() & OUTPUT, 0);
}

static inline void require_bytes(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(read_data(), bytes[i]);
    }
    require_empty();
}

#define REQUIRE(...)                              \
    require_bytes((const uint8_t[]){__VA_ARGS__}, \
                  sizeof((const uint8_t[]){__VA_ARGS__}))

/* Keyboard on, translated or not, with interrupts. */
static inline void open_keyboard(bool translate)
{
    command(0x60);
    data(translate ? 0x65 : 0x25);
    data(0xf4);
    REQUIRE(0xfa);
}

/* Runs until nothing is due; `max` runs at most. Collects what arrives. */
static inline size_t collect(uint8_t *bytes, size_t max)
{
    size_t n = 0;

    while (legacy_kbc_deadline(&kbc) != LEGACY_NEVER) {
        f.now = rv_max(f.now, legacy_kbc_deadline(&kbc));
        legacy_kbc_run(&kbc);
        while ((status() & OUTPUT) != 0) {
            assert_true(n < max);
            bytes[n++] = legacy_kbc_read(&kbc, 0x60);
        }
    }
    return n;
}

static inline void require_typed(const char *text, const uint8_t *want,
                                 size_t n)
{
    uint8_t got[256];

    f.in = text;
    legacy_kbc_pull(&kbc);
    assert_int_equal(collect(got, sizeof(got)), n);
    assert_memory_equal(got, want, n);
}

#define TYPED(text, ...)                                \
    require_typed(text, (const uint8_t[]){__VA_ARGS__}, \
                  sizeof((const uint8_t[]){__VA_ARGS__}))
