/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550A's registers. Output is handed to the console within the write, so
 * that a polling guest needs one exit per byte and an interrupt-driven one gets
 * "transmitter empty" without waiting; what the console does not take stays in
 * the FIFO and is tried again every RETRY_NS.
 *
 * Threat surface: all registers. At most a FIFO is moved per access.
 * Ref: National PC16550D datasheet, "Registers", "FIFO Interrupt Mode
 *      Operation".
 */
#include "ravelin/legacy_uart.h"

#define RETRY_NS 1000000u

#define REG_DATA 0u
#define REG_IER 1u
#define REG_IIR 2u /* written: FCR */
#define REG_LCR 3u
#define REG_MCR 4u
#define REG_LSR 5u
#define REG_MSR 6u
#define REG_SCRATCH 7u

#define IER_RECEIVED 0x01u
#define IER_TRANSMITTED 0x02u
#define IER_LINE 0x04u
#define IER_MODEM 0x08u
#define IER_MASK 0x0fu

#define IIR_NONE 0x01u
#define IIR_MODEM 0x00u
#define IIR_TRANSMITTED 0x02u
#define IIR_RECEIVED 0x04u
#define IIR_LINE 0x06u
#define IIR_TIMEOUT 0x0cu
#define IIR_FIFOS 0xc0u

#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RX 0x02u
#define FCR_CLEAR_TX 0x04u
#define FCR_KEPT 0xc9u

#define LCR_DIVISOR 0x80u

#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

#define LSR_READY 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_EMPTY 0x60u /* holding register and shifter */

#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u

static const uint8_t rx_trigger[4] = {1, 4, 8, 14};

/* ---- FIFOs ------------------------------------------------------------ */

static unsigned fifo_count(const struct legacy_uart_fifo *f)
{
    return (uint8_t)(f->head - f->tail);
}

static void fifo_clear(struct legacy_uart_fifo *f)
{
    f->tail = f->head;
}

static void fifo_put(struct legacy_uart_fifo *f, uint8_t byte)
{
    f->byte[f->head++ % LEGACY_UART_FIFO] = byte;
}

static uint8_t fifo_get(struct legacy_uart_fifo *f)
{
    return f->byte[f->tail++ % LEGACY_UART_FIFO];
}

/* Bytes a FIFO holds: one when FIFOs are off. */
static unsigned fifo_depth(const struct legacy_uart *u)
{
    return (u->fcr & FCR_ENABLE) != 0 ? LEGACY_UART_FIFO : 1;
}

/* ---- Interrupts ------------------------------------------------------- */

static uint8_t rx_cause(const struct legacy_uart *u)
{
    unsigned count = fifo_count(&u->rx);

    if (count == 0) {
        return IIR_NONE;
    }
    if ((u->fcr & FCR_ENABLE) != 0 && count < rx_trigger[u->fcr >> 6]) {
        return IIR_TIMEOUT;
    }
    return IIR_RECEIVED;
}

/* Most urgent cause that is enabled. */
static uint8_t cause(const struct legacy_uart *u)
{
    if ((u->ier & IER_LINE) != 0 && u->errors != 0) {
        return IIR_LINE;
    }
    if ((u->ier & IER_RECEIVED) != 0 && rx_cause(u) != IIR_NONE) {
        return rx_cause(u);
    }
    if ((u->ier & IER_TRANSMITTED) != 0 && u->is_thre_pending) {
        return IIR_TRANSMITTED;
    }
    if ((u->ier & IER_MODEM) != 0 && u->msr_changed != 0) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

/* On a PC, OUT2 connects the request to the bus; in loop-back it is off. */
static void interrupt_update(struct legacy_uart *u)
{
    bool level =
        cause(u) != IIR_NONE && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

    if (level != u->is_raised) {
        u->is_raised = level;
        u->host->irq_set(u->host->ctx, u->irq, level);
    }
}

/* ---- Data ------------------------------------------------------------- */

static void receive(struct legacy_uart *u, uint8_t byte)
{
    if (fifo_count(&u->rx) < fifo_depth(u)) {
        fifo_put(&u->rx, byte);
    } else {
        u->errors |= LSR_OVERRUN;
    }
}

/* Gives the console what it takes of the FIFO. */
static void transmit(struct legacy_uart *u)
{
    char buf[LEGACY_UART_FIFO] = {0};
    unsigned count = fifo_count(&u->tx);
    size_t taken;

    for (unsigned i = 0; i < count; i++) {
        buf[i] = (char)u->tx.byte[(u->tx.tail + i) % LEGACY_UART_FIFO];
    }
    taken = u->host->console_write(u->host->ctx, buf, count);
    u->tx.tail = (uint8_t)(u->tx.tail + rv_min(taken, (size_t)count));
    if (fifo_count(&u->tx) == 0) {
        u->is_thre_pending = true;
        u->alarm_ns = LEGACY_NEVER;
    } else {
        u->alarm_ns = u->host->now_ns(u->host->ctx) + RETRY_NS;
    }
}

static void data_write(struct legacy_uart *u, uint8_t byte)
{
    if ((u->mcr & MCR_LOOP) != 0) {
        receive(u, byte);
        u->is_thre_pending = true;
        return;
    }
    u->is_thre_pending = false;
    if (fifo_count(&u->tx) < fifo_depth(u)) {
        fifo_put(&u->tx, byte);
    }
    transmit(u);
}

bool legacy_uart_is_open(const struct legacy_uart *u)
{
    return (u->mcr & MCR_LOOP) == 0 &&
           (u->is_always_open || (u->mcr & MCR_DTR) != 0);
}

/* Fills the receiver from the console. */
static void fill(struct legacy_uart *u)
{
    char buf[LEGACY_UART_FIFO];
    unsigned count = fifo_count(&u->rx);
    unsigned depth = fifo_depth(u);
    size_t got;

    if (!legacy_uart_is_open(u) || count >= depth) {
        return;
    }
    got = u->host->console_read(u->host->ctx, buf, depth - count);
    for (size_t i = 0; i < got && i < depth - count; i++) {
        fifo_put(&u->rx, (uint8_t)buf[i]);
    }
}

void legacy_uart_pull(struct legacy_uart *u)
{
    fill(u);
    interrupt_update(u);
}

static uint8_t data_read(struct legacy_uart *u)
{
    uint8_t byte = 0;

    if (fifo_count(&u->rx) != 0) {
        byte = fifo_get(&u->rx);
    }
    if (fifo_count(&u->rx) == 0) {
        fill(u);
    }
    return byte;
}

uint64_t legacy_uart_deadline(const struct legacy_uart *u)
{
    return u->alarm_ns;
}

void legacy_uart_run(struct legacy_uart *u)
{
    if (u->host->now_ns(u->host->ctx) >= u->alarm_ns) {
        transmit(u);
        interrupt_update(u);
    }
}

/* ---- Modem lines ------------------------------------------------------ */

/* The other end is always ready; in loop-back our own outputs come back. */
static uint8_t modem_lines(const struct legacy_uart *u)
{
    if ((u->mcr & MCR_LOOP) == 0) {
        return MSR_CTS | MSR_DSR | MSR_DCD;
    }
    return (uint8_t)(((u->mcr & MCR_RTS) != 0 ? MSR_CTS : 0) |
                     ((u->mcr & MCR_DTR) != 0 ? MSR_DSR : 0) |
                     ((u->mcr & MCR_OUT1) != 0 ? MSR_RI : 0) |
                     ((u->mcr & MCR_OUT2) != 0 ? MSR_DCD : 0));
}

static void mcr_write(struct legacy_uart *u, uint8_t value)
{
    uint8_t before = modem_lines(u);
    uint8_t changed;

    u->mcr = value & MCR_MASK;
    changed = before ^ modem_lines(u);
    if ((before & MSR_RI) == 0) {
        changed &= (uint8_t)~MSR_RI; /* only its end counts */
    }
    u->msr_changed |= changed >> 4;
    fill(u);
}

/* ---- Registers -------------------------------------------------------- */

static void fcr_write(struct legacy_uart *u, uint8_t value)
{
    if (((u->fcr ^ value) & FCR_ENABLE) != 0) {
        value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    }
    if ((value & FCR_CLEAR_RX) != 0) {
        fifo_clear(&u->rx);
    }
    if ((value & FCR_CLEAR_TX) != 0) {
        if (fifo_count(&u->tx) != 0) {
            u->is_thre_pending = true;
        }
        fifo_clear(&u->tx);
        u->alarm_ns = LEGACY_NEVER;
    }
    u->fcr = (value & FCR_ENABLE) != 0 ? value & FCR_KEPT : 0;
    fill(u);
}

static void ier_write(struct legacy_uart *u, uint8_t value)
{
    if ((value & ~u->ier & IER_TRANSMITTED) != 0 && fifo_count(&u->tx) == 0) {
        u->is_thre_pending = true;
    }
    u->ier = value & IER_MASK;
}

static uint8_t iir_read(struct legacy_uart *u)
{
    uint8_t value = cause(u);

    if (value == IIR_TRANSMITTED) {
        u->is_thre_pending = false;
    }
    return (u->fcr & FCR_ENABLE) != 0 ? value | IIR_FIFOS : value;
}

static uint8_t lsr_read(struct legacy_uart *u)
{
    uint8_t value = u->errors;

    u->errors = 0;
    if (fifo_count(&u->rx) != 0) {
        value |= LSR_READY;
    }
    if (fifo_count(&u->tx) == 0) {
        value |= LSR_EMPTY;
    }
    return value;
}

static uint8_t msr_read(struct legacy_uart *u)
{
    uint8_t value = modem_lines(u) | u->msr_changed;

    u->msr_changed = 0;
    return value;
}

static uint8_t register_read(struct legacy_uart *u, unsigned reg)
{
    if (reg <= REG_IER && (u->lcr & LCR_DIVISOR) != 0) {
        return u->divisor[reg];
    }
    switch (reg) {
    case REG_DATA:
        return data_read(u);
    case REG_IER:
        return u->ier;
    case REG_IIR:
        return iir_read(u);
    case REG_LCR:
        return u->lcr;
    case REG_MCR:
        return u->mcr;
    case REG_LSR:
        return lsr_read(u);
    case REG_MSR:
        return msr_read(u);
    default:
        return u->scr;
    }
}

static void register_write(struct legacy_uart *u, unsigned reg, uint8_t value)
{
    switch (reg) {
    case REG_DATA:
        data_write(u, value);
        break;
    case REG_IER:
        ier_write(u, value);
        break;
    case REG_IIR:
        fcr_write(u, value);
        break;
    case REG_LCR:
        u->lcr = value;
        break;
    case REG_MCR:
        mcr_write(u, value);
        break;
    case REG_SCRATCH:
        u->scr = value;
        break;
    default: /* status registers cannot be written */
        break;
    }
}

uint8_t legacy_uart_read(struct legacy_uart *u, unsigned reg)
{
    uint8_t value = register_read(u, reg & 7u);

    interrupt_update(u);
    return value;
}

void legacy_uart_write(struct legacy_uart *u, unsigned reg, uint8_t value)
{
    reg &= 7u;
    if (reg <= REG_IER && (u->lcr & LCR_DIVISOR) != 0) {
        u->divisor[reg] = value;
        return;
    }
    register_write(u, reg, value);
    interrupt_update(u);
}

void legacy_uart_reset(struct legacy_uart *u)
{
    u->ier = 0;
    u->fcr = 0;
    u->lcr = 0;
    u->mcr = 0;
    u->errors = 0;
    u->msr_changed = 0;
    u->is_thre_pending = false;
    fifo_clear(&u->rx);
    fifo_clear(&u->tx);
    u->alarm_ns = LEGACY_NEVER;
    interrupt_update(u);
}

void legacy_uart_init(struct legacy_uart *u, const struct legacy_host *host,
                      unsigned irq)
{
    *u = (struct legacy_uart){.irq = (uint8_t)irq, .host = host};
    legacy_uart_reset(u);
}
