/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fan-out of the ISA interrupt lines. Levels that do not change go no further,
 * as devices set their line after every access.
 *
 * Threat surface: none.
 * Ref: Intel "MultiProcessor Specification" 1.4, 3.6.2.3 "Symmetric I/O Mode";
 *      ACPI 5.0, 5.2.12.5 "Interrupt Source Override Structure".
 */
#include "ravelin/legacy_irq.h"

#include "ravelin/legacy_pic.h"
#include "ravelin/vioapic.h"

static unsigned ioapic_pin(unsigned line)
{
    return line == 0 ? LEGACY_IRQ_TIMER_PIN : line;
}

void legacy_irq_set(struct legacy_irq *irqs, unsigned line, bool level)
{
    uint16_t bit;

    if (line >= LEGACY_IRQ_COUNT || line == LEGACY_IRQ_CASCADE) {
        return;
    }
    bit = (uint16_t)(1u << line);
    if (((irqs->level & bit) != 0) == level) {
        return;
    }
    irqs->level ^= bit;
    if (irqs->pic != NULL) {
        legacy_pic_irq_set(irqs->pic, line, level);
    }
    vioapic_irq_set(irqs->domain, ioapic_pin(line), level);
}

void legacy_irq_reset(struct legacy_irq *irqs)
{
    for (unsigned line = 0; line < LEGACY_IRQ_COUNT; line++) {
        legacy_irq_set(irqs, line, false);
    }
}
