/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IO-APIC tells who owns the serial port; but that of a PC with devices of
 * its own is fed by them alone. The interrupt is an edge, so what arrives while
 * one is noted already is the same to a guest.
 *
 * Threat surface: none; the owner decides how often its device interrupts, and
 * each interrupt costs one turn of the CPU loop.
 */
#include "ravelin/serial_irq.h"

#include "ravelin/domain.h"
#include "ravelin/vioapic.h"

#define SERIAL_PIN 4u

static bool noted; /* atomic */

void serial_irq_note(void)
{
    store_release(&noted, true);
    write_once(this_cpu()->resched, true);
}

void serial_irq_poll(void)
{
    if (likely(!read_once(noted)) ||
        !__atomic_exchange_n(&noted, false, __ATOMIC_ACQ_REL)) {
        return;
    }
    domain_for_each(d)
    {
        if (d->legacy == NULL) {
            vioapic_irq_set(d, SERIAL_PIN, true);
            vioapic_irq_set(d, SERIAL_PIN, false);
        }
    }
}
