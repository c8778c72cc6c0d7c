/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the interrupt, time, serial, keyboard, power, debug and
 * configuration devices of a PC, one at a time, driven by any accesses, lines,
 * input and passing time. Besides memory errors it looks for devices that want
 * to run again without time passing, or that ask for more than a bounded number
 * of runs, interrupts, log lines or console reads.
 *
 * Input: first byte: device. Then commands of four bytes: operation, port,
 * value, time. The rest of the input is also what the console has to say.
 */
#include "fuzz.h"

#include <string.h>

#include "ravelin/legacy_debug.h"
#include "ravelin/legacy_fw_cfg.h"
#include "ravelin/legacy_kbc.h"
#include "ravelin/legacy_pic.h"
#include "ravelin/legacy_pit.h"
#include "ravelin/legacy_pm.h"
#include "ravelin/legacy_rtc.h"
#include "ravelin/legacy_uart.h"

#define COMMANDS_MAX 4096u
#define RUNS_MAX 64u
#define MEMORY 4096u

struct command {
    uint8_t op;
    uint8_t port;
    uint8_t value;
    uint8_t time;
};

static struct {
    uint64_t now;
    uint16_t lines;
    bool is_waiting;
    bool intr;
    size_t out_room;
    const uint8_t *in;
    size_t in_left;
    unsigned log_count;
    unsigned edge_count;
    uint8_t memory[MEMORY];
} env;

static struct legacy_pic pic;
static struct legacy_pit pit;
static struct legacy_rtc rtc;
static struct legacy_uart uart;
static struct legacy_kbc kbc;
static struct legacy_pm pm;
static struct legacy_debug debug;
static struct legacy_fw_cfg fw;

/* ---- The platform ----------------------------------------------------- */

static uint64_t host_now(void *ctx)
{
    (void)ctx;
    return env.now;
}

static void host_line(void *ctx, unsigned irq, bool level)
{
    (void)ctx;
    require(irq < 16);
    env.edge_count += level && (env.lines >> irq & 1u) == 0;
    env.lines = (uint16_t)((env.lines & ~(1u << irq)) | (unsigned)level << irq);
}

static bool host_waiting(void *ctx, unsigned irq)
{
    (void)ctx;
    (void)irq;
    return env.is_waiting;
}

static void host_intr(void *ctx, bool level)
{
    (void)ctx;
    require(level != env.intr);
    env.intr = level;
}

static void host_request(void *ctx, enum legacy_request what)
{
    (void)ctx;
    require(what <= LEGACY_A20_OFF);
}

static size_t host_console_write(void *ctx, const char *buf, size_t n)
{
    size_t taken = n < env.out_room ? n : env.out_room;
    unsigned sum = 0;

    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        sum += (uint8_t)buf[i]; /* all of it must be readable */
    }
    env.out_room -= taken + (sum & 0u);
    return taken;
}

static size_t host_console_read(void *ctx, char *buf, size_t n)
{
    size_t got = n < env.in_left ? n : env.in_left;

    (void)ctx;
    memcpy(buf, env.in, got);
    env.in += got;
    env.in_left -= got;
    return got;
}

static void host_log_line(void *ctx, const char *line)
{
    (void)ctx;
    require(strlen(line) < LEGACY_DEBUG_LINE);
    env.log_count++;
}

static int host_copy(void *ctx, uint64_t gpa, void *buf, size_t n,
                     bool to_guest)
{
    (void)ctx;
    if (gpa >= MEMORY || n > MEMORY - gpa) {
        return -1;
    }
    memcpy(to_guest ? (void *)(env.memory + gpa) : buf,
           to_guest ? buf : (void *)(env.memory + gpa), n);
    return 0;
}

static const struct legacy_host host = {
    .now_ns = host_now,
    .irq_set = host_line,
    .irq_is_waiting = host_waiting,
    .intr_changed = host_intr,
    .request = host_request,
    .console_write = host_console_write,
    .console_read = host_console_read,
    .log_line = host_log_line,
    .copy = host_copy,
};

/* ---- Devices ---------------------------------------------------------- */

static void pic_start(void)
{
    legacy_pic_init(&pic, &host);
}

static void pic_access(const struct command *c)
{
    static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
    uint16_t port = ports[c->port % 6];

    switch (c->op % 4) {
    case 0:
        legacy_pic_write(&pic, port, c->value);
        break;
    case 1:
        (void)legacy_pic_read(&pic, port);
        break;
    case 2:
        legacy_pic_irq_set(&pic, c->port % 20, (c->value & 1u) != 0);
        break;
    default:
        (void)legacy_pic_intr_accept(&pic);
        break;
    }
    require(env.intr == legacy_pic_intr_is_pending(&pic));
    for (unsigned i = 0; i < 2; i++) {
        require(pic.chip[i].lowest < 8 && pic.chip[i].icw_step <= 4);
        require((pic.chip[i].irr & ~pic.chip[i].line) == 0);
    }
}

static void pit_start(void)
{
    legacy_pit_init(&pit, &host);
}

static void pit_access(const struct command *c)
{
    static const uint16_t ports[] = {0x40, 0x41, 0x42, 0x43, 0x61};
    uint16_t port = ports[c->port % 5];

    env.is_waiting = (c->op & 0x80u) != 0;
    if ((c->op & 1u) != 0) {
        (void)legacy_pit_read(&pit, port);
    } else {
        legacy_pit_write(&pit, port, c->value);
    }
    require(pit.owed <= LEGACY_PIT_OWED_MAX);
}

static uint64_t pit_deadline(void)
{
    return legacy_pit_deadline(&pit);
}

static void pit_run(void)
{
    legacy_pit_run(&pit);
}

static void rtc_start(void)
{
    legacy_rtc_init(&rtc, &host, 1700000000u);
}

static void rtc_access(const struct command *c)
{
    if ((c->op & 1u) != 0) {
        legacy_rtc_write(&rtc, 0x70, c->port);
        (void)legacy_rtc_read(&rtc, 0x71);
    } else {
        legacy_rtc_write(&rtc, 0x70, c->port);
        legacy_rtc_write(&rtc, 0x71, c->value);
    }
    if ((c->op & 0x40u) != 0) {
        legacy_rtc_reset(&rtc);
    }
}

static uint64_t rtc_deadline(void)
{
    return legacy_rtc_deadline(&rtc);
}

static void rtc_run(void)
{
    legacy_rtc_run(&rtc);
}

static void uart_start(void)
{
    legacy_uart_init(&uart, &host, 4);
}

static void uart_access(const struct command *c)
{
    env.out_room = (c->op & 0x80u) != 0 ? c->time & 3u : SIZE_MAX;
    switch (c->op % 4) {
    case 0:
    case 1:
        legacy_uart_write(&uart, c->port, c->value);
        break;
    case 2:
        (void)legacy_uart_read(&uart, c->port);
        break;
    default:
        legacy_uart_pull(&uart);
        break;
    }
    require((uint8_t)(uart.rx.head - uart.rx.tail) <= LEGACY_UART_FIFO);
    require((uint8_t)(uart.tx.head - uart.tx.tail) <= LEGACY_UART_FIFO);
}

static uint64_t uart_deadline(void)
{
    return legacy_uart_deadline(&uart);
}

static void uart_run(void)
{
    legacy_uart_run(&uart);
}

static void kbc_start(void)
{
    legacy_kbc_init(&kbc, &host);
}

static void kbc_access(const struct command *c)
{
    static const uint16_t ports[] = {0x60, 0x64, 0x92};
    uint16_t port = ports[c->port % 3];

    switch (c->op % 4) {
    case 0:
    case 1:
        legacy_kbc_write(&kbc, port, c->value);
        break;
    case 2:
        (void)legacy_kbc_read(&kbc, port);
        break;
    default:
        legacy_kbc_pull(&kbc);
        break;
    }
    require(kbc.reply_count <= LEGACY_KBC_REPLIES);
}

static uint64_t kbc_deadline(void)
{
    return legacy_kbc_deadline(&kbc);
}

static void kbc_run(void)
{
    legacy_kbc_run(&kbc);
}

static void pm_start(void)
{
    legacy_pm_init(&pm, &host);
}

static void pm_access(const struct command *c)
{
    unsigned size = 1u << c->op / 4 % 3;
    unsigned offset = c->port % (LEGACY_PM_SIZE - size + 1);
    uint32_t value = c->value * 0x01010101u;

    switch (c->op % 4) {
    case 0:
        legacy_pm_write(&pm, offset, size, value);
        break;
    case 1:
        require((legacy_pm_read(&pm, offset, size) >> (8 * size - 1) >> 1) ==
                0);
        break;
    case 2:
        legacy_pm_apm_write(&pm, (uint16_t)(0xb2 + (c->port & 1u)), c->value);
        break;
    default:
        legacy_pm_button_press(&pm);
        break;
    }
}

static uint64_t pm_deadline(void)
{
    return legacy_pm_deadline(&pm);
}

static void pm_run(void)
{
    legacy_pm_run(&pm);
}

static void debug_start(void)
{
    legacy_debug_init(&debug, &host);
}

static void debug_access(const struct command *c)
{
    static const uint16_t ports[] = {0x80, 0xed, 0x402};
    uint16_t port = ports[c->port % 3];
    char text[64];

    if ((c->op & 1u) != 0) {
        (void)legacy_debug_read(&debug, port);
    } else {
        legacy_debug_write(&debug, port, c->value);
    }
    legacy_debug_post_text(&debug, text, 1 + c->time % sizeof(text));
    require(debug.line_length < LEGACY_DEBUG_LINE);
    require(debug.budget <= LEGACY_DEBUG_BURST);
}

static void fw_start(void)
{
    static const char text[] = "0123456789abcdef0123456789ABCDEF";

    legacy_fw_cfg_init(&fw, &host);
    require(legacy_fw_cfg_number_add(&fw, FW_CFG_NB_CPUS, 2, 2) == 0);
    require(legacy_fw_cfg_file_add(&fw, "etc/e820", text, sizeof(text)) == 0);
    require(legacy_fw_cfg_file_add(&fw, "empty", NULL, 0) == 0);
    memset(env.memory, 0, sizeof(env.memory));
}

static void fw_access(const struct command *c)
{
    unsigned size = 1u << c->op / 8 % 3;
    uint16_t port = (uint16_t)(0x510 + c->port % 12);
    uint8_t buf[256];

    switch (c->op % 5) {
    case 0:
        (void)legacy_fw_cfg_read(&fw, port, size);
        break;
    case 1:
        legacy_fw_cfg_write(&fw, port, size, c->value);
        break;
    case 2:
        legacy_fw_cfg_data_read(&fw, buf, c->value);
        break;
    case 3: /* a descriptor byte */
        env.memory[c->port % 64] = c->value;
        break;
    default:
        legacy_fw_cfg_write(&fw, 0x518, 4,
                            __builtin_bswap32((uint32_t)c->port % 64));
        break;
    }
}

static uint64_t never(void)
{
    return LEGACY_NEVER;
}

static void nothing(void)
{
}

static const struct device {
    void (*start)(void);
    void (*access)(const struct command *c);
    uint64_t (*deadline)(void);
    void (*run)(void);
    uint64_t spacing_ns; /* runs come at most so often */
} devices[] = {
    {pic_start, pic_access, never, nothing, 0},
    {pit_start, pit_access, pit_deadline, pit_run, LEGACY_PIT_FLOOR_NS},
    {rtc_start, rtc_access, rtc_deadline, rtc_run, 122070},
    {uart_start, uart_access, uart_deadline, uart_run, 1000000},
    {kbc_start, kbc_access, kbc_deadline, kbc_run, LEGACY_KBC_KEY_NS},
    {pm_start, pm_access, pm_deadline, pm_run, 1000000000},
    {debug_start, debug_access, never, nothing, 0},
    {fw_start, fw_access, never, nothing, 0},
};

/* ---- Time ------------------------------------------------------------- */

/* Runs what is due within `ns`; a device may not ask for more than its spacing
 * allows, nor interrupt more than once per run. */
static void time_pass(const struct device *d, uint64_t ns)
{
    uint64_t end = env.now + ns;
    unsigned runs = 0;

    while (d->deadline() <= end && runs < RUNS_MAX) {
        uint64_t edges = env.edge_count;

        env.now = d->deadline() > env.now ? d->deadline() : env.now;
        d->run();
        runs++;
        require(d->deadline() > env.now);
        require(env.edge_count - edges <= 1);
        require(runs < 3 || ns > d->spacing_ns);
    }
    env.now = end > env.now ? end : env.now;
}

/* 0 .. 2^47 ns, mostly short. */
static uint64_t duration(uint8_t code)
{
    return (uint64_t)(code & 15u) << (code >> 4) * 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct device *d;
    struct command c;

    if (size == 0) {
        return 0;
    }
    d = &devices[data[0] % (sizeof(devices) / sizeof(devices[0]))];
    data++;
    size--;
    memset(&env, 0, sizeof(env));
    env.now = 1000000000u;
    env.out_room = SIZE_MAX;
    env.in = data;
    env.in_left = size;
    d->start();
    for (unsigned n = 0; n < COMMANDS_MAX && size >= sizeof(c); n++) {
        memcpy(&c, data, sizeof(c));
        data += sizeof(c);
        size -= sizeof(c);
        d->access(&c);
        time_pass(d, duration(c.time));
    }
    require(env.log_count <= 2 * LEGACY_DEBUG_BURST || env.now > 10000000000u);
    return 0;
}
