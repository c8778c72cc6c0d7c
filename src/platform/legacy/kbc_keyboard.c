/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyboard with US layout. Characters become key strokes with the shift or
 * control key held; the escape sequences that terminals send for cursor and
 * function keys become those keys.
 *
 * Threat surface: commands of the guest, characters of a person at the
 * console. What does not fit the queue is lost; keys leave room for answers.
 * Ref: IBM PS/2 hardware interface technical reference, "Keyboards (101- and
 *      102-Key)".
 */
#include "kbc_keyboard.h"

#include "ravelin/string.h"

#define REPLY_ACK 0xfau
#define REPLY_RESEND 0xfeu
#define REPLY_TEST_PASSED 0xaau
#define PREFIX_EXTENDED 0xe0u

#define SET1_RELEASED 0x80u

#define KEY_ESCAPE 0x01u
#define KEY_CTRL 0x1du
#define KEY_SHIFT 0x2au
#define KEY_NONE 0u
#define KEY_EXTENDED 0x80u /* our mark: with prefix */

/* ---- Queue ------------------------------------------------------------ */

static unsigned queue_room(const struct legacy_keyboard *k)
{
    return LEGACY_KBC_QUEUE - (uint8_t)(k->head - k->tail);
}

static void queue_put(struct legacy_keyboard *k, uint8_t byte)
{
    if (queue_room(k) != 0) {
        k->queue[k->head++ % LEGACY_KBC_QUEUE] = byte;
    }
}

static void queue_clear(struct legacy_keyboard *k)
{
    k->tail = k->head;
}

int keyboard_take(struct legacy_keyboard *k)
{
    if (keyboard_is_idle(k)) {
        return -1;
    }
    k->last = k->queue[k->tail++ % LEGACY_KBC_QUEUE];
    return k->last;
}

bool keyboard_is_idle(const struct legacy_keyboard *k)
{
    return k->head == k->tail;
}

/* ---- Commands --------------------------------------------------------- */

static void defaults_set(struct legacy_keyboard *k)
{
    k->scan_set = 2;
    k->leds = 0;
    queue_clear(k);
}

void keyboard_reset(struct legacy_keyboard *k)
{
    *k = (struct legacy_keyboard){.scan_set = 2, .is_scanning = true};
}

static void command_leds(struct legacy_keyboard *k)
{
    k->command = 0xed;
    queue_put(k, REPLY_ACK);
}

static void command_echo(struct legacy_keyboard *k)
{
    queue_put(k, 0xee);
}

static void command_scan_set(struct legacy_keyboard *k)
{
    k->command = 0xf0;
    queue_put(k, REPLY_ACK);
}

static void command_identify(struct legacy_keyboard *k)
{
    queue_put(k, REPLY_ACK);
    queue_put(k, 0xab);
    queue_put(k, 0x83);
}

static void command_rate(struct legacy_keyboard *k)
{
    k->command = 0xf3;
    queue_put(k, REPLY_ACK);
}

static void command_enable(struct legacy_keyboard *k)
{
    queue_clear(k);
    k->is_scanning = true;
    queue_put(k, REPLY_ACK);
}

static void command_disable(struct legacy_keyboard *k)
{
    defaults_set(k);
    k->is_scanning = false;
    queue_put(k, REPLY_ACK);
}

static void command_defaults(struct legacy_keyboard *k)
{
    defaults_set(k);
    queue_put(k, REPLY_ACK);
}

static void command_resend(struct legacy_keyboard *k)
{
    queue_put(k, k->last);
}

static void command_reset(struct legacy_keyboard *k)
{
    defaults_set(k);
    k->is_scanning = true;
    queue_put(k, REPLY_ACK);
    queue_put(k, REPLY_TEST_PASSED);
}

static const struct {
    uint8_t code;
    void (*run)(struct legacy_keyboard *k);
} commands[] = {
    {0xed, command_leds},     {0xee, command_echo},
    {0xf0, command_scan_set}, {0xf2, command_identify},
    {0xf3, command_rate},     {0xf4, command_enable},
    {0xf5, command_disable},  {0xf6, command_defaults},
    {0xfe, command_resend},   {0xff, command_reset},
};

/* The parameter of the command before; false: it is another command. */
static bool parameter_write(struct legacy_keyboard *k, uint8_t value)
{
    uint8_t command = k->command;

    k->command = 0;
    if (command == 0 || value >= 0xed) {
        return false;
    }
    if (command == 0xf0 && value > 2) {
        queue_put(k, REPLY_RESEND); /* scan set 3 is not offered */
        return true;
    }
    queue_put(k, REPLY_ACK);
    if (command == 0xed) {
        k->leds = value & 7u;
    } else if (command == 0xf0 && value == 0) {
        queue_put(k, k->scan_set);
    } else if (command == 0xf0) {
        k->scan_set = value;
    }
    return true;
}

void keyboard_write(struct legacy_keyboard *k, uint8_t value)
{
    if (parameter_write(k, value)) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].code == value) {
            commands[i].run(k);
            return;
        }
    }
    queue_put(k, REPLY_RESEND);
}

/* ---- Scan codes ------------------------------------------------------- */

/* Set 2 code of each set 1 code. */
static const uint8_t set2[0x59] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45,
    0x4e, 0x55, 0x66, 0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43,
    0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33,
    0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05,
    0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c,
    0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71,
    0x84, 0x60, 0x61, 0x78, 0x07,
};

uint8_t keyboard_translate(uint8_t code)
{
    for (unsigned i = 1; i < ARRAY_SIZE(set2); i++) {
        if (set2[i] == code) {
            return (uint8_t)i;
        }
    }
    return code; /* answers and prefixes, too */
}

/* `key`: set 1 code, perhaps with KEY_EXTENDED. */
static void key_put(struct legacy_keyboard *k, unsigned key, bool pressed)
{
    uint8_t code = key & 0x7fu;

    if ((key & KEY_EXTENDED) != 0) {
        queue_put(k, PREFIX_EXTENDED);
    }
    if (k->scan_set == 1) {
        queue_put(k, pressed ? code : code | SET1_RELEASED);
        return;
    }
    if (!pressed) {
        queue_put(k, KEYBOARD_BREAK);
    }
    queue_put(k, set2[code]);
}

static void stroke(struct legacy_keyboard *k, unsigned modifier, unsigned key)
{
    if (key == KEY_NONE) {
        return;
    }
    if (modifier != KEY_NONE) {
        key_put(k, modifier, true);
    }
    key_put(k, key, true);
    key_put(k, key, false);
    if (modifier != KEY_NONE) {
        key_put(k, modifier, false);
    }
}

/* ---- Characters ------------------------------------------------------- */

/* Characters of the keys 0x01 to 0x39 in order of their set 1 codes; a NUL
 * where a key has none. */
static const char plain[] = "\0331234567890-=\b\tqwertyuiop[]\r\0"
                            "asdfghjkl;'`\0\\zxcvbnm,./\0\0\0 ";
static const char shifted[] = "\033!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0"
                              "ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0 ";
static_assert(sizeof(plain) == 0x3a && sizeof(shifted) == 0x3a,
              "keys 0x01 to 0x39");

static unsigned key_of(const char *keys, char c)
{
    const char *at = memchr(keys, c, sizeof(plain) - 1);

    return at != NULL ? (unsigned)(at - keys) + 1 : KEY_NONE;
}

static void character_type(struct legacy_keyboard *k, char c)
{
    unsigned key;

    if (c == '\n') {
        c = '\r';
    } else if (c == 0x7f) {
        c = '\b';
    }
    if (c == 0) {
        return;
    }
    key = key_of(plain, c);
    if (key != KEY_NONE) {
        stroke(k, KEY_NONE, key);
    } else if (c > 0 && c < 0x1b) {
        stroke(k, KEY_CTRL, key_of(plain, (char)(c + 0x60)));
    } else {
        stroke(k, KEY_SHIFT, key_of(shifted, c));
    }
}

/* ---- Escape sequences ------------------------------------------------- */

enum {
    ESCAPE_NONE,
    ESCAPE_SEEN,
    ESCAPE_SEQUENCE, /* introducer seen, number may come */
    ESCAPE_SKIP,     /* further numbers, which do not matter */
};

struct sequence {
    uint8_t last; /* final character, or number before '~' */
    uint8_t key;
};

static const struct sequence letters[] = {
    {'A', 0x48 | KEY_EXTENDED},
    {'B', 0x50 | KEY_EXTENDED},
    {'C', 0x4d | KEY_EXTENDED},
    {'D', 0x4b | KEY_EXTENDED},
    {'H', 0x47 | KEY_EXTENDED},
    {'F', 0x4f | KEY_EXTENDED},
    {'P', 0x3b},
    {'Q', 0x3c},
    {'R', 0x3d},
    {'S', 0x3e},
};

static const struct sequence numbers[] = {
    {1, 0x47 | KEY_EXTENDED},
    {2, 0x52 | KEY_EXTENDED},
    {3, 0x53 | KEY_EXTENDED},
    {4, 0x4f | KEY_EXTENDED},
    {5, 0x49 | KEY_EXTENDED},
    {6, 0x51 | KEY_EXTENDED},
    {11, 0x3b},
    {12, 0x3c},
    {13, 0x3d},
    {14, 0x3e},
    {15, 0x3f},
    {17, 0x40},
    {18, 0x41},
    {19, 0x42},
    {20, 0x43},
    {21, 0x44},
    {23, 0x57},
    {24, 0x58},
};

static unsigned sequence_key(const struct sequence *table, size_t count,
                             unsigned last)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].last == last) {
            return table[i].key;
        }
    }
    return KEY_NONE;
}

/* A character after the introducer; true at the end of the sequence. */
static bool sequence_take(struct legacy_keyboard *k, char c)
{
    if (c >= '0' && c <= '9') {
        if (k->escape == ESCAPE_SEQUENCE) {
            k->number = (uint8_t)(k->number % 10 * 10 + (c - '0'));
        }
        return false;
    }
    if (c == ';') {
        k->escape = ESCAPE_SKIP;
        return false;
    }
    k->escape = ESCAPE_NONE;
    if (c == '~') {
        stroke(k, KEY_NONE,
               sequence_key(numbers, ARRAY_SIZE(numbers), k->number));
    } else {
        stroke(k, KEY_NONE,
               sequence_key(letters, ARRAY_SIZE(letters), (uint8_t)c));
    }
    return true;
}

bool keyboard_type(struct legacy_keyboard *k, char c)
{
    if (k->escape >= ESCAPE_SEQUENCE) {
        return sequence_take(k, c);
    }
    if (k->escape == ESCAPE_SEEN && (c == '[' || c == 'O')) {
        k->escape = ESCAPE_SEQUENCE;
        k->number = 0;
        return false;
    }
    keyboard_type_end(k);
    if (c == '\033') {
        k->escape = ESCAPE_SEEN;
        return false;
    }
    character_type(k, c);
    return true;
}

void keyboard_type_end(struct legacy_keyboard *k)
{
    if (k->escape == ESCAPE_SEEN) {
        stroke(k, KEY_NONE, KEY_ESCAPE);
    }
    k->escape = ESCAPE_NONE;
}
