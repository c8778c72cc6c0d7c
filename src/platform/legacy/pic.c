/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259A pair. An edge-triggered request is latched by the rising edge and
 * goes when it is taken or when its line falls; a level-triggered one is its
 * line. Everything follows from the registers: after each change the outputs
 * are computed anew.
 *
 * Threat surface: every register value, in any order. Work is bounded by the
 * number of inputs.
 * Ref: Intel 8259A datasheet (231468).
 */
#include "ravelin/legacy_pic.h"

#include "ravelin/atomic.h"

#define INPUTS 8u
#define CASCADE 2u /* input of the first chip at which the second one is */
#define SPURIOUS 7u

#define ICW1_SELECT 0x10u
#define ICW1_SINGLE 0x02u
#define ICW1_WANTS_ICW4 0x01u
#define ICW4_FULLY_NESTED 0x10u
#define ICW4_AUTO_EOI 0x02u

#define OCW3_SELECT 0x08u
#define OCW3_MASK_MODE_SET 0x40u
#define OCW3_MASK_MODE 0x20u
#define OCW3_POLL 0x04u
#define OCW3_READ_SET 0x02u
#define OCW3_READ_ISR 0x01u

#define POLL_PENDING 0x80u

/* Inputs that can be switched to level: not 0, 1, 2, 8, 13.
 * Ref: PIIX3, "Edge/Level Control Registers". */
static const uint8_t elcr_mask[2] = {0xf8, 0xde};

/* ---- One chip --------------------------------------------------------- */

static uint8_t chip_requests(const struct legacy_pic_chip *c)
{
    return (uint8_t)((c->irr & ~c->elcr) | (c->line & c->elcr));
}

/* In-service inputs that hold back others. */
static uint8_t chip_blockers(const struct legacy_pic_chip *c)
{
    return c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr;
}

/* First of `set` in the present order of priorities; -1 if it is empty. */
static int chip_highest(const struct legacy_pic_chip *c, uint8_t set)
{
    for (unsigned i = 1; i <= INPUTS; i++) {
        unsigned input = (c->lowest + i) % INPUTS;

        if ((set >> input & 1u) != 0) {
            return (int)input;
        }
    }
    return -1;
}

/* Input that requests an interrupt now, or -1. */
static int chip_pending(const struct legacy_pic_chip *c)
{
    uint8_t requests = chip_requests(c) & (uint8_t)~c->imr;
    uint8_t blockers = chip_blockers(c);
    int first;

    if (c->icw1 == 0 || c->icw_step != 0) {
        return -1; /* not set up */
    }
    if (c->fully_nested && !c->is_secondary) {
        blockers &= (uint8_t) ~(1u << CASCADE);
    }
    first = chip_highest(c, requests | blockers);
    return first >= 0 && (blockers >> first & 1) == 0 ? first : -1;
}

static void chip_line_set(struct legacy_pic_chip *c, unsigned input, bool level)
{
    uint8_t bit = (uint8_t)(1u << input);

    if (!level) {
        c->line &= (uint8_t)~bit;
        c->irr &= (uint8_t)~bit;
    } else if ((c->line & bit) == 0) {
        c->line |= bit;
        c->irr |= bit;
    }
}

static void chip_accept(struct legacy_pic_chip *c, unsigned input)
{
    uint8_t bit = (uint8_t)(1u << input);

    c->irr &= (uint8_t)~bit;
    if (!c->auto_eoi) {
        c->isr |= bit;
    } else if (c->rotate_auto) {
        c->lowest = (uint8_t)input;
    }
}

static void chip_initialise(struct legacy_pic_chip *c, uint8_t icw1)
{
    c->icw1 = icw1;
    c->icw_step = 2;
    c->irr = 0;
    c->isr = 0;
    c->imr = 0;
    c->lowest = INPUTS - 1;
    c->auto_eoi = false;
    c->rotate_auto = false;
    c->fully_nested = false;
    c->special_mask = false;
    c->read_isr = false;
    c->poll = false;
}

static void chip_icw_write(struct legacy_pic_chip *c, uint8_t value)
{
    uint8_t last = (c->icw1 & ICW1_WANTS_ICW4) != 0 ? 4 : 0;

    switch (c->icw_step) {
    case 2:
        c->vector_base = value & 0xf8u;
        c->icw_step = (c->icw1 & ICW1_SINGLE) != 0 ? last : 3;
        break;
    case 3:
        c->icw_step = last; /* the wiring is fixed */
        break;
    default:
        c->fully_nested = (value & ICW4_FULLY_NESTED) != 0;
        c->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
        c->icw_step = 0;
        break;
    }
}

/* Ends service of `input`, which becomes the lowest if `rotate`. */
static void chip_eoi(struct legacy_pic_chip *c, int input, bool rotate)
{
    if (input < 0) {
        return;
    }
    c->isr &= (uint8_t) ~(1u << input);
    if (rotate) {
        c->lowest = (uint8_t)input;
    }
}

static void chip_ocw2_write(struct legacy_pic_chip *c, uint8_t value)
{
    int level = value & 7;
    bool rotate = (value & 0x80u) != 0;

    switch (value >> 5 & 3u) {
    case 0:
        c->rotate_auto = rotate;
        break;
    case 1: /* non-specific */
        chip_eoi(c, chip_highest(c, chip_blockers(c)), rotate);
        break;
    case 2:
        if (rotate) {
            c->lowest = (uint8_t)level;
        }
        break;
    default:
        chip_eoi(c, level, rotate);
        break;
    }
}

static void chip_ocw3_write(struct legacy_pic_chip *c, uint8_t value)
{
    if ((value & OCW3_MASK_MODE_SET) != 0) {
        c->special_mask = (value & OCW3_MASK_MODE) != 0;
    }
    if ((value & OCW3_POLL) != 0) {
        c->poll = true;
    } else if ((value & OCW3_READ_SET) != 0) {
        c->read_isr = (value & OCW3_READ_ISR) != 0;
    }
}

static void chip_write(struct legacy_pic_chip *c, bool a0, uint8_t value)
{
    if (a0) {
        if (c->icw_step != 0) {
            chip_icw_write(c, value);
        } else {
            c->imr = value;
        }
    } else if ((value & ICW1_SELECT) != 0) {
        chip_initialise(c, value);
    } else if ((value & OCW3_SELECT) != 0) {
        chip_ocw3_write(c, value);
    } else {
        chip_ocw2_write(c, value);
    }
}

static uint8_t chip_read(struct legacy_pic_chip *c, bool a0)
{
    if (c->poll) {
        int input = chip_pending(c);

        c->poll = false;
        if (input < 0) {
            return SPURIOUS;
        }
        chip_accept(c, (unsigned)input);
        return (uint8_t)(POLL_PENDING | (unsigned)input);
    }
    if (a0) {
        return c->imr;
    }
    return c->read_isr ? c->isr : chip_requests(c);
}

/* ---- The pair --------------------------------------------------------- */

static void pic_update(struct legacy_pic *pic)
{
    bool intr;

    chip_line_set(&pic->chip[0], CASCADE, chip_pending(&pic->chip[1]) >= 0);
    intr = chip_pending(&pic->chip[0]) >= 0;
    if (intr != pic->intr) {
        write_once(pic->intr, intr);
        pic->host->intr_changed(pic->host->ctx, intr);
    }
}

/* The request output of the second chip falls for a moment when it is
 * acknowledged, so that the first one sees another edge. */
static void secondary_fall(struct legacy_pic *pic)
{
    chip_line_set(&pic->chip[0], CASCADE, false);
}

void legacy_pic_init(struct legacy_pic *pic, const struct legacy_host *host)
{
    *pic = (struct legacy_pic){.host = host};
    pic->chip[1].is_secondary = true;
    pic->chip[0].lowest = INPUTS - 1;
    pic->chip[1].lowest = INPUTS - 1;
}

void legacy_pic_reset(struct legacy_pic *pic)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pic->chip); i++) {
        pic->chip[i] = (struct legacy_pic_chip){.line = pic->chip[i].line,
                                                .lowest = INPUTS - 1};
    }
    pic->chip[1].is_secondary = true;
    pic_update(pic);
}

static struct legacy_pic_chip *chip_of_port(struct legacy_pic *pic,
                                            uint16_t port)
{
    return &pic->chip[(port & 0xfeu) == LEGACY_PIC_SECOND];
}

uint8_t legacy_pic_read(struct legacy_pic *pic, uint16_t port)
{
    struct legacy_pic_chip *c = chip_of_port(pic, port);
    uint8_t value;

    if (port >= LEGACY_PIC_ELCR) {
        return pic->chip[port & 1u].elcr;
    }
    if (c->poll && c->is_secondary) {
        secondary_fall(pic);
    }
    value = chip_read(c, (port & 1u) != 0);
    pic_update(pic);
    return value;
}

void legacy_pic_write(struct legacy_pic *pic, uint16_t port, uint8_t value)
{
    if (port >= LEGACY_PIC_ELCR) {
        pic->chip[port & 1u].elcr = value & elcr_mask[port & 1u];
    } else {
        chip_write(chip_of_port(pic, port), (port & 1u) != 0, value);
    }
    pic_update(pic);
}

void legacy_pic_irq_set(struct legacy_pic *pic, unsigned irq, bool level)
{
    if (irq >= 2 * INPUTS || irq == CASCADE) {
        return;
    }
    chip_line_set(&pic->chip[irq / INPUTS], irq % INPUTS, level);
    pic_update(pic);
}

bool legacy_pic_intr_is_pending(const struct legacy_pic *pic)
{
    return read_once(pic->intr);
}

/* Vector of one chip; SPURIOUS if it requests nothing any more. */
static uint8_t chip_acknowledge(struct legacy_pic_chip *c, int input)
{
    if (input >= 0) {
        chip_accept(c, (unsigned)input);
    } else {
        input = SPURIOUS;
    }
    return (uint8_t)(c->vector_base | (unsigned)input);
}

uint8_t legacy_pic_intr_accept(struct legacy_pic *pic)
{
    int input = chip_pending(&pic->chip[0]);
    uint8_t vector = chip_acknowledge(&pic->chip[0], input);

    if (input == (int)CASCADE) {
        vector = chip_acknowledge(&pic->chip[1], chip_pending(&pic->chip[1]));
        secondary_fall(pic);
    }
    pic_update(pic);
    return vector;
}

bool legacy_pic_irq_is_waiting(const struct legacy_pic *pic, unsigned irq)
{
    const struct legacy_pic_chip *c;

    if (irq >= 2 * INPUTS) {
        return false;
    }
    c = &pic->chip[irq / INPUTS];
    return (chip_requests(c) & ~c->imr & 1u << irq % INPUTS) != 0;
}
