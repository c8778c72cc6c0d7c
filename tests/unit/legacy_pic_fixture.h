/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259A pair as a PC programs it, and what a test does to it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "legacy_fixture.h"
#include "ravelin/legacy_pic.h"

#define BASE 0x08u
#define BASE2 0x70u

#define EOI 0x20u
#define SPECIFIC_EOI(n) (0x60u | (n))
#define READ_IRR 0x0au
#define READ_ISR 0x0bu
#define POLL 0x0cu
#define MASK_MODE_ON 0x68u
#define MASK_MODE_OFF 0x48u

static struct legacy_fixture f;
static struct legacy_pic pic;

static inline void out(uint16_t port, uint8_t value)
{
    legacy_pic_write(&pic, port, value);
}

static inline uint8_t in(uint16_t port)
{
    return legacy_pic_read(&pic, port);
}

static inline void line(unsigned irq, bool level)
{
    legacy_pic_irq_set(&pic, irq, level);
}

static inline void pulse(unsigned irq)
{
    line(irq, true);
    line(irq, false);
}

static inline uint8_t reg(uint16_t port, uint8_t which)
{
    out(port, which);
    return in(port);
}

static inline void pair_program(uint8_t icw4)
{
    out(0x20, 0x11);
    out(0x21, BASE);
    out(0x21, 0x04);
    out(0x21, icw4);
    out(0xa0, 0x11);
    out(0xa1, BASE2);
    out(0xa1, 0x02);
    out(0xa1, icw4 & 3);
}

static inline int start(void **state)
{
    (void)state;
    legacy_fixture_start(&f);
    legacy_pic_init(&pic, &f.host);
    pair_program(0x01);
    return 0;
}

static inline void require_vector(uint8_t vector)
{
    assert_true(legacy_pic_intr_is_pending(&pic));
    assert_true(f.intr);
    assert_int_equal(legacy_pic_intr_accept(&pic), vector);
}

static inline void require_quiet(void)
{
    assert_false(legacy_pic_intr_is_pending(&pic));
    assert_false(f.intr);
}
