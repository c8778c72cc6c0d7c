/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550A serial port, by default COM1, between the guest and its console.
 * Output goes straight to the console, so the transmitter is empty again by
 * the time the guest looks; only a console that takes no more fills its FIFO.
 * Input is taken from the console as far as the receiver has room. Line speed
 * and parity are stored and have no effect; the character time-out is 0.
 *
 * Threat surface: all registers. Bytes are opaque; work per access is bounded.
 * Ref: National PC16550D datasheet.
 */
#pragma once

#include "ravelin/legacy_host.h"

#define LEGACY_UART_COM1 0x3f8u
#define LEGACY_UART_IRQ 4u
#define LEGACY_UART_FIFO 16u

struct legacy_uart_fifo {
    uint8_t byte[LEGACY_UART_FIFO];
    uint8_t head; /* free-running */
    uint8_t tail;
};

struct legacy_uart {
    uint8_t irq;
    bool is_always_open; /* set after init: input has nowhere else to go */
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t errors;      /* LSR bits 1..4 since the last look */
    uint8_t msr_changed; /* MSR bits 0..3 since the last look */
    uint8_t divisor[2];
    bool is_thre_pending; /* reading IIR or writing THR clears it */
    bool is_raised;
    struct legacy_uart_fifo rx;
    struct legacy_uart_fifo tx;
    uint64_t alarm_ns; /* retries output that the console did not take */
    const struct legacy_host *host;
};

/** Power-up state. */
void legacy_uart_init(struct legacy_uart *uart, const struct legacy_host *host,
                      unsigned irq);
void legacy_uart_reset(struct legacy_uart *uart);

/** Register `reg` 0..7 (port minus base); one byte. */
uint8_t legacy_uart_read(struct legacy_uart *uart, unsigned reg);
void legacy_uart_write(struct legacy_uart *uart, unsigned reg, uint8_t value);

/** Has the guest opened the port (DTR), or is it always open? Then console
 * input belongs here. Firmware polls ports without setting DTR. */
bool legacy_uart_is_open(const struct legacy_uart *uart);
/** Takes console input while there is room, if the port is open; to be called
 * when there may be some. */
void legacy_uart_pull(struct legacy_uart *uart);

/** When legacy_uart_run() is due, ns; LEGACY_NEVER. May change with every call
 * into the device. */
uint64_t legacy_uart_deadline(const struct legacy_uart *uart);
/** Does what is due; harmless when nothing is. */
void legacy_uart_run(struct legacy_uart *uart);
