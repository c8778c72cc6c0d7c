/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA interrupt lines of a legacy domain: each reaches the pair of 8259s and
 * the IO-APIC, and the guest masks it at one of them. As on a PC, line 0 is
 * input 2 of the IO-APIC.
 *
 * Threat surface: none; levels come from devices.
 */
#pragma once

#include "ravelin/types.h"

struct domain;
struct legacy_pic;

#define LEGACY_IRQ_COUNT 16u
/* Joins the two 8259s; no device has it. */
#define LEGACY_IRQ_CASCADE 2u
#define LEGACY_IRQ_TIMER_PIN 2u

/* Protected by the platform's lock. */
struct legacy_irq {
    struct domain *domain;  /* may have no IO-APIC */
    struct legacy_pic *pic; /* NULL: none */
    uint16_t level;         /* bit per line */
};

/** Sets the level of one line; the lock of the IO-APIC is taken within. Lines
 * that do not exist are ignored. */
void legacy_irq_set(struct legacy_irq *irqs, unsigned line, bool level);
/** All lines low. */
void legacy_irq_reset(struct legacy_irq *irqs);
