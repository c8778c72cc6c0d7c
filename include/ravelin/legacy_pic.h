/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two cascaded 8259A interrupt controllers at 0x20 and 0xa0 with the edge/level
 * registers at 0x4d0. The pair drives one request line; whoever takes the
 * interrupt acknowledges and gets the vector.
 * Ref: Intel 8259A datasheet (231468); Intel PIIX3 datasheet (290550),
 *      "Interrupt Controller Registers".
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_PIC_FIRST 0x20u  /* and 0x21 */
#define LEGACY_PIC_SECOND 0xa0u /* and 0xa1 */
#define LEGACY_PIC_ELCR 0x4d0u  /* and 0x4d1 */

struct legacy_pic_chip {
    uint8_t line; /* input levels */
    uint8_t irr;
    uint8_t isr;
    uint8_t imr;
    uint8_t elcr;        /* bit: level-triggered */
    uint8_t vector_base; /* ICW2, low three bits 0 */
    uint8_t icw1;
    uint8_t icw_step; /* next ICW expected, 2..4; 0: initialised */
    uint8_t lowest;   /* input of the lowest priority */
    bool is_secondary;
    bool auto_eoi;
    bool rotate_auto;
    bool fully_nested; /* special fully nested mode */
    bool special_mask;
    bool read_isr;
    bool poll; /* the next read is an acknowledge */
};

struct legacy_pic {
    struct legacy_pic_chip chip[2];
    bool intr; /* request output; written under the lock, read without */
    const struct legacy_host *host;
};

/** Reset state: not initialised, inputs edge-triggered. `host` must outlive
 * the device. */
void legacy_pic_init(struct legacy_pic *pic, const struct legacy_host *host);
void legacy_pic_reset(struct legacy_pic *pic);

/** Ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1; one byte. */
uint8_t legacy_pic_read(struct legacy_pic *pic, uint16_t port);
void legacy_pic_write(struct legacy_pic *pic, uint16_t port, uint8_t value);

/** Level of input `irq`, 0..15; 2 and above 15 are ignored. */
void legacy_pic_irq_set(struct legacy_pic *pic, unsigned irq, bool level);
/** Does the pair request an interrupt? May be called without the lock; changes
 * are told by legacy_host.intr_changed. */
bool legacy_pic_intr_is_pending(const struct legacy_pic *pic);
/**
 * The processor's two INTA cycles.
 * @return vector; that of input 7 (of the chip concerned) if the request has
 *         gone meanwhile.
 */
uint8_t legacy_pic_intr_accept(struct legacy_pic *pic);
/** Is `irq` requested, not masked, and not yet taken? */
bool legacy_pic_irq_is_waiting(const struct legacy_pic *pic, unsigned irq);
