/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8042. Its output buffer holds one byte: an answer of the controller, else
 * the next one of the keyboard, translated to scan set 1 if the command byte
 * says so. Commands complete within the write. Nobody masks A20 for real by
 * itself: the platform is told and decides.
 *
 * Threat surface: commands and data in any order. Loops end with the queue.
 * Ref: IBM PC AT technical reference, "Keyboard Controller"; Intel PIIX3
 *      datasheet (290550), "Port 92 Register".
 */
#include "ravelin/legacy_kbc.h"

#include "kbc_keyboard.h"

#define STATUS_OUTPUT 0x01u
#define STATUS_SYSTEM 0x04u
#define STATUS_COMMAND 0x08u
#define STATUS_UNLOCKED 0x10u
#define STATUS_AUX 0x20u
#define STATUS_TIMEOUT 0x40u

#define CONTROL_IRQ 0x01u
#define CONTROL_SYSTEM 0x04u
#define CONTROL_KEYBOARD_OFF 0x10u
#define CONTROL_AUX_OFF 0x20u
#define CONTROL_TRANSLATE 0x40u

#define OUTPUT_PORT_RUN 0x01u /* 0 resets the processor */
#define OUTPUT_PORT_A20 0x02u
#define OUTPUT_PORT_ONES 0xccu
#define OUTPUT_PORT_FULL 0x10u

#define PORT92_RESET 0x01u
#define PORT92_A20 0x02u

#define REPLY_SELF_TEST 0x55u
#define REPLY_KEYBOARD_GOOD 0x00u
#define REPLY_AUX_BAD 0x02u /* clock line stuck high */
#define AUX_RESEND 0xfeu

/* More than any escape sequence of a terminal has. */
#define KEY_CHARACTERS_MAX 16u

/* ---- Output buffer ---------------------------------------------------- */

/* Next byte from the keyboard's line, or -1. */
static int keyboard_byte(struct legacy_kbc *kbc)
{
    int byte;

    if ((kbc->control & CONTROL_KEYBOARD_OFF) != 0) {
        return -1;
    }
    byte = keyboard_take(&kbc->keyboard);
    if (byte < 0 || (kbc->control & CONTROL_TRANSLATE) == 0) {
        return byte;
    }
    if (byte == KEYBOARD_BREAK) {
        kbc->is_break = true;
        byte = keyboard_take(&kbc->keyboard);
        if (byte < 0) {
            return -1;
        }
    }
    byte = keyboard_translate((uint8_t)byte) | (kbc->is_break ? 0x80 : 0);
    kbc->is_break = false;
    return byte;
}

static void output_fill(struct legacy_kbc *kbc)
{
    int byte;

    if (kbc->has_output) {
        return;
    }
    if (kbc->reply_count != 0) {
        kbc->output = (uint8_t)kbc->reply[0];
        kbc->output_flags = (uint8_t)(kbc->reply[0] >> 8);
        kbc->has_output = true;
        kbc->reply_count--;
        for (unsigned i = 0; i < kbc->reply_count; i++) {
            kbc->reply[i] = kbc->reply[i + 1];
        }
        return;
    }
    byte = keyboard_byte(kbc);
    if (byte >= 0) {
        kbc->output = (uint8_t)byte;
        kbc->output_flags = 0;
        kbc->has_output = true;
    }
}

static void reply(struct legacy_kbc *kbc, uint8_t byte, uint8_t flags)
{
    if (kbc->reply_count < LEGACY_KBC_REPLIES) {
        kbc->reply[kbc->reply_count++] = (uint16_t)(flags << 8 | byte);
    }
}

static void interrupt_update(struct legacy_kbc *kbc)
{
    bool level = kbc->has_output && (kbc->control & CONTROL_IRQ) != 0 &&
                 (kbc->output_flags & STATUS_AUX) == 0;

    if (level != kbc->is_raised) {
        kbc->is_raised = level;
        kbc->host->irq_set(kbc->host->ctx, LEGACY_KBC_IRQ, level);
    }
}

/* ---- Keys ------------------------------------------------------------- */

static bool is_typing_possible(const struct legacy_kbc *kbc)
{
    return (kbc->control & CONTROL_KEYBOARD_OFF) == 0 &&
           kbc->keyboard.is_scanning && keyboard_is_idle(&kbc->keyboard) &&
           !kbc->has_output;
}

/* After each change: when to look for another key. */
static void alarm_update(struct legacy_kbc *kbc)
{
    if (!kbc->has_input || !is_typing_possible(kbc)) {
        kbc->alarm_ns = LEGACY_NEVER;
    } else if (kbc->alarm_ns == LEGACY_NEVER) {
        kbc->alarm_ns = kbc->key_ns + LEGACY_KBC_KEY_NS;
    }
}

static void update(struct legacy_kbc *kbc)
{
    output_fill(kbc);
    interrupt_update(kbc);
    alarm_update(kbc);
}

/* The console has no more. The rest of an escape sequence may be on its way:
 * then one more look is worth it. */
static void input_end(struct legacy_kbc *kbc)
{
    kbc->has_input = kbc->keyboard.escape != 0 && !kbc->is_last_look;
    kbc->is_last_look = kbc->has_input;
    if (!kbc->has_input) {
        keyboard_type_end(&kbc->keyboard);
    }
}

/* Types one key, unless the input is at its end or makes none. */
static void key_take(struct legacy_kbc *kbc)
{
    char c;

    for (unsigned i = 0; i < KEY_CHARACTERS_MAX; i++) {
        if (kbc->host->console_read(kbc->host->ctx, &c, 1) == 0) {
            input_end(kbc);
            return;
        }
        kbc->is_last_look = false;
        if (keyboard_type(&kbc->keyboard, c)) {
            return;
        }
    }
}

void legacy_kbc_pull(struct legacy_kbc *kbc)
{
    kbc->has_input = true;
    alarm_update(kbc);
}

uint64_t legacy_kbc_deadline(const struct legacy_kbc *kbc)
{
    return kbc->alarm_ns;
}

void legacy_kbc_run(struct legacy_kbc *kbc)
{
    uint64_t now = kbc->host->now_ns(kbc->host->ctx);

    if (now < kbc->alarm_ns) {
        return;
    }
    kbc->alarm_ns = LEGACY_NEVER;
    kbc->key_ns = now;
    if (kbc->has_input && is_typing_possible(kbc)) {
        key_take(kbc);
    }
    update(kbc);
}

/* ---- A20 and reset ---------------------------------------------------- */

static void a20_set(struct legacy_kbc *kbc, bool on)
{
    if (on != kbc->is_a20_on) {
        kbc->is_a20_on = on;
        kbc->host->request(kbc->host->ctx, on ? LEGACY_A20_ON : LEGACY_A20_OFF);
    }
}

static void output_port_write(struct legacy_kbc *kbc, uint8_t value)
{
    a20_set(kbc, (value & OUTPUT_PORT_A20) != 0);
    if ((value & OUTPUT_PORT_RUN) == 0) {
        kbc->host->request(kbc->host->ctx, LEGACY_RESET);
    }
}

static uint8_t output_port_read(const struct legacy_kbc *kbc)
{
    return (uint8_t)(OUTPUT_PORT_ONES | OUTPUT_PORT_RUN |
                     (kbc->is_a20_on ? OUTPUT_PORT_A20 : 0) |
                     (kbc->has_output ? OUTPUT_PORT_FULL : 0));
}

static void port92_write(struct legacy_kbc *kbc, uint8_t value)
{
    bool reset = (value & PORT92_RESET) != 0;

    a20_set(kbc, (value & PORT92_A20) != 0);
    if (reset && !kbc->is_reset_low) {
        kbc->host->request(kbc->host->ctx, LEGACY_RESET);
    }
    kbc->is_reset_low = reset;
}

static uint8_t port92_read(const struct legacy_kbc *kbc)
{
    return (uint8_t)((kbc->is_a20_on ? PORT92_A20 : 0) |
                     (kbc->is_reset_low ? PORT92_RESET : 0));
}

/* ---- Commands --------------------------------------------------------- */

static void self_test(struct legacy_kbc *kbc)
{
    kbc->control = CONTROL_KEYBOARD_OFF | CONTROL_AUX_OFF | CONTROL_TRANSLATE |
                   CONTROL_SYSTEM;
    kbc->reply_count = 0;
    kbc->has_output = false;
    kbc->is_break = false;
    reply(kbc, REPLY_SELF_TEST, 0);
}

static uint8_t ram_read(const struct legacy_kbc *kbc, unsigned index)
{
    return index == 0 ? kbc->control : kbc->ram[index];
}

static void ram_write(struct legacy_kbc *kbc, unsigned index, uint8_t value)
{
    if (index == 0) {
        kbc->control = value;
    } else {
        kbc->ram[index] = value;
    }
}

/* Commands that are done at once; the rest wants a byte first. */
static void command_run(struct legacy_kbc *kbc, uint8_t command)
{
    switch (command) {
    case 0xa7:
        kbc->control |= CONTROL_AUX_OFF;
        break;
    case 0xa8:
        kbc->control &= (uint8_t)~CONTROL_AUX_OFF;
        break;
    case 0xa9:
        reply(kbc, REPLY_AUX_BAD, 0);
        break;
    case 0xaa:
        self_test(kbc);
        break;
    case 0xab:
        reply(kbc, REPLY_KEYBOARD_GOOD, 0);
        break;
    case 0xad:
        kbc->control |= CONTROL_KEYBOARD_OFF;
        break;
    case 0xae:
        kbc->control &= (uint8_t)~CONTROL_KEYBOARD_OFF;
        break;
    case 0xc0:
        reply(kbc, 0x80, 0); /* keyboard not locked */
        break;
    case 0xd0:
        reply(kbc, output_port_read(kbc), 0);
        break;
    case 0xdd:
    case 0xdf:
        a20_set(kbc, command == 0xdf);
        break;
    case 0xe0:
        reply(kbc, 0, 0); /* test inputs */
        break;
    default: /* unknown ones are ignored */
        break;
    }
}

static bool wants_data(uint8_t command)
{
    return (command >= 0x60 && command < 0x80) ||
           (command >= 0xd1 && command <= 0xd4);
}

static void command_write(struct legacy_kbc *kbc, uint8_t command)
{
    kbc->is_command = true;
    kbc->command = 0;
    if (wants_data(command)) {
        kbc->command = command;
    } else if (command >= 0x20 && command < 0x40) {
        reply(kbc, ram_read(kbc, command & 31u), 0);
    } else if (command < 0xf0) {
        command_run(kbc, command);
    } else if ((command & 1u) == 0) {
        kbc->host->request(kbc->host->ctx, LEGACY_RESET);
    }
}

static void data_write(struct legacy_kbc *kbc, uint8_t value)
{
    uint8_t command = kbc->command;

    kbc->is_command = false;
    kbc->command = 0;
    switch (command) {
    case 0:
        kbc->control &= (uint8_t)~CONTROL_KEYBOARD_OFF;
        keyboard_write(&kbc->keyboard, value);
        break;
    case 0xd1:
        output_port_write(kbc, value);
        break;
    case 0xd2: /* as if the keyboard had sent it */
    case 0xd3: /* without the mark of an auxiliary device */
        reply(kbc, value, 0);
        break;
    case 0xd4: /* nobody is there */
        reply(kbc, AUX_RESEND, STATUS_AUX | STATUS_TIMEOUT);
        break;
    default:
        ram_write(kbc, command & 31u, value);
        break;
    }
}

/* ---- Ports ------------------------------------------------------------ */

static uint8_t status_read(const struct legacy_kbc *kbc)
{
    uint8_t value = STATUS_UNLOCKED;

    if (kbc->has_output) {
        value |= STATUS_OUTPUT | kbc->output_flags;
    }
    if ((kbc->control & CONTROL_SYSTEM) != 0) {
        value |= STATUS_SYSTEM;
    }
    return kbc->is_command ? value | STATUS_COMMAND : value;
}

/* The line falls before the next byte raises it again. */
static uint8_t data_read(struct legacy_kbc *kbc)
{
    kbc->has_output = false;
    interrupt_update(kbc);
    return kbc->output;
}

uint8_t legacy_kbc_read(struct legacy_kbc *kbc, uint16_t port)
{
    uint8_t value;

    if (port == LEGACY_KBC_STATUS) {
        return status_read(kbc);
    }
    if (port == LEGACY_KBC_PORT92) {
        return port92_read(kbc);
    }
    value = data_read(kbc);
    update(kbc);
    return value;
}

void legacy_kbc_write(struct legacy_kbc *kbc, uint16_t port, uint8_t value)
{
    if (port == LEGACY_KBC_PORT92) {
        port92_write(kbc, value);
    } else if (port == LEGACY_KBC_STATUS) {
        command_write(kbc, value);
    } else {
        data_write(kbc, value);
    }
    update(kbc);
}

void legacy_kbc_reset(struct legacy_kbc *kbc)
{
    const struct legacy_host *host = kbc->host;
    bool has_input = kbc->has_input;
    bool raised = kbc->is_raised;

    *kbc = (struct legacy_kbc){
        .control = CONTROL_KEYBOARD_OFF | CONTROL_AUX_OFF,
        .is_a20_on = true,
        .has_input = has_input,
        .is_raised = raised,
        .alarm_ns = LEGACY_NEVER,
        .host = host,
    };
    keyboard_reset(&kbc->keyboard);
    update(kbc);
}

void legacy_kbc_init(struct legacy_kbc *kbc, const struct legacy_host *host)
{
    *kbc = (struct legacy_kbc){.host = host};
    legacy_kbc_reset(kbc);
}
