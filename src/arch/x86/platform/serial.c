/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550 behind the console. Reads and writes never wait; the console
 * decides who does. Its receive interrupt only wakes an idle CPU, the bytes are
 * fetched by polling; or it is passed on, if a domain owns the line.
 * Ref: National Semiconductor PC16550D data sheet, 8 "Registers".
 */
#include "platform/serial.h"

#include "cpu/interrupt.h"
#include "cpu/percpu.h"
#include "cpu/regs.h"
#include "platform/ioapic.h"
#include "platform/lapic.h"
#include "ravelin/log.h"
#include "ravelin/serial_irq.h"

#define COM1 0x3f8u
#define COM1_IRQ 4u
#define FIFO_DEPTH 16u

#define REG_DATA (COM1 + 0)
#define REG_DIVISOR_LOW (COM1 + 0)
#define REG_IER (COM1 + 1)
#define REG_DIVISOR_HIGH (COM1 + 1)
#define REG_FCR (COM1 + 2)
#define REG_LCR (COM1 + 3)
#define REG_MCR (COM1 + 4)
#define REG_LSR (COM1 + 5)
#define REG_SCRATCH (COM1 + 7)

#define IER_RECEIVE 0x01u
#define IER_TRANSMIT 0x02u
#define FCR_ENABLE_CLEAR 0x07u
#define LCR_8N1 0x03u
#define LCR_DLAB 0x80u
#define MCR_DTR_RTS_OUT2 0x0bu
#define LSR_DATA 0x01u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define DIVISOR_115200 1u
#define SCRATCH_PATTERN 0x5au
/* Of the status register: enough for a full FIFO at 9600 baud. */
#define LAST_WORDS_POLLS 50000u

static bool present RV_RO_AFTER_INIT = false;
static bool has_interrupt RV_RO_AFTER_INIT = false;

static void line_program(void)
{
    outb(REG_IER, 0);
    outb(REG_LCR, LCR_DLAB | LCR_8N1);
    outb(REG_DIVISOR_LOW, DIVISOR_115200);
    outb(REG_DIVISOR_HIGH, 0);
    outb(REG_LCR, LCR_8N1);
    outb(REG_FCR, FCR_ENABLE_CLEAR);
    outb(REG_MCR, MCR_DTR_RTS_OUT2);
}

bool serial_init(void)
{
    outb(REG_SCRATCH, SCRATCH_PATTERN);
    present = inb(REG_SCRATCH) == SCRATCH_PATTERN;
    if (present) {
        line_program();
    }
    return present;
}

static void serial_interrupt(struct exception_frame *frame rv_unused)
{
    serial_irq_note();
    lapic_eoi();
}

void serial_interrupt_init(void)
{
    if (!present) {
        return;
    }
    interrupt_handler_set(VECTOR_SERIAL, serial_interrupt);
    has_interrupt =
        ioapic_route_isa(COM1_IRQ, VECTOR_SERIAL, this_cpu()->apic_id);
    if (has_interrupt) {
        outb(REG_IER, IER_RECEIVE);
    } else {
        log_warn("no interrupt for the serial line; input waits for a timer");
    }
}

/* A missing port swallows output at once. */
static size_t serial_tx_room(void)
{
    return !present || (inb(REG_LSR) & LSR_THRE) ? FIFO_DEPTH : 0;
}

static void serial_tx(const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        outb(REG_DATA, buf[i]);
    }
}

static bool serial_tx_idle(void)
{
    return !present || (inb(REG_LSR) & LSR_TEMT) != 0;
}

static void serial_tx_notify(bool on)
{
    if (has_interrupt) {
        outb(REG_IER, IER_RECEIVE | (on ? IER_TRANSMIT : 0));
    }
}

static int serial_rx(void)
{
    return present && (inb(REG_LSR) & LSR_DATA) ? inb(REG_DATA) : -1;
}

/* A domain that had the line may have left it in any state and its last words
 * in the FIFO. */
static void serial_owner_set(bool ours)
{
    if (!present) {
        return;
    }
    if (!ours) {
        outb(REG_IER, 0);
        return;
    }
    outb(REG_LCR, LCR_8N1);
    for (unsigned i = 0; i < LAST_WORDS_POLLS && !serial_tx_idle(); i++) {
        cpu_relax();
    }
    line_program();
}

const struct serial_port_ops serial_port = {
    .tx_room = serial_tx_room,
    .tx = serial_tx,
    .tx_idle = serial_tx_idle,
    .tx_notify = serial_tx_notify,
    .rx = serial_rx,
    .owner_set = serial_owner_set,
};
