/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain mode: lines of all channels on one terminal, each with its `[name] `
 * prefix. Guests choose every byte, and the reader must be able to trust the
 * prefixes; so the cursor is tracked and may never move left of the text or to
 * another line: backspaces are counted, a carriage return repeats the prefix,
 * and of all escape sequences only the harmless ones pass.
 */
#include "console_internal.h"
#include "ravelin/fmt.h"
#include "ravelin/string.h"

#define ESC '\033'

/* Protected by the console lock. */
static struct channel *focus;
static struct channel *shown; /* whose unfinished line is on the screen */

void plain_init(void)
{
    focus = NULL;
    shown = NULL;
}

struct channel *plain_focus(void)
{
    return focus;
}

static void prefix_put(const struct channel *c)
{
    if (c->name[0] != '\0') {
        output_char('[');
        output_put(c->name, strlen(c->name));
        output_put("] ", 2);
    }
}

static void style_reset(struct channel *c)
{
    if (c->line.styled) {
        output_put("\033[0m", 4);
    }
}

static void newline_put(void)
{
    output_put("\r\n", 2);
}

/* Puts the unfinished line of `c` on the screen, below any other. */
static void line_show(struct channel *c)
{
    if (shown == c) {
        return;
    }
    if (shown != NULL) {
        style_reset(shown);
        newline_put();
    }
    prefix_put(c);
    output_put(c->line.text, c->line.length);
    shown = c;
}

static void line_clear(struct line *l)
{
    l->length = 0;
    l->column = 0;
    l->styled = false;
}

static bool focus_has_line(void)
{
    return focus != NULL && focus->line.length > 0;
}

/* Ends the line of `c`; the focus then gets its unfinished line back. */
static void line_end(struct channel *c)
{
    line_show(c);
    style_reset(c);
    newline_put();
    line_clear(&c->line);
    shown = NULL;
    if (c != focus && focus_has_line()) {
        line_show(focus);
    }
}

/* Starts a new line if this one has no room for `len` bytes. */
static void line_reserve(struct channel *c, size_t len)
{
    if (c->line.length + len > LINE_MAX) {
        line_end(c);
    }
}

/* Adds allowed bytes to the line and, with the focus, to the screen. */
static void line_append(struct channel *c, const char *s, size_t len)
{
    struct line *l = &c->line;

    line_reserve(c, len);
    if (c == focus) {
        line_show(c);
        output_put(s, len);
    }
    memcpy(&l->text[l->length], s, len);
    l->length += (unsigned)len;
}

/* A lone carriage return: the line starts over, behind its prefix. */
static void line_restart(struct channel *c)
{
    if (shown == c) {
        output_char('\r');
        prefix_put(c);
    }
    line_clear(&c->line);
}

/* The only parameter of a CSI sequence; 0 if it has none. False if there are
 * several or it is no number. */
static bool csi_parameter(const struct line *l, unsigned *out)
{
    unsigned n = 0;

    for (unsigned i = 2; i + 1 < l->sequence_length; i++) {
        char digit = l->sequence[i];

        if (digit < '0' || digit > '9') {
            return false;
        }
        n = rv_min(n * 10 + (unsigned)(digit - '0'), 10000u);
    }
    *out = n;
    return true;
}

static bool csi_is_style(const struct line *l)
{
    for (unsigned i = 2; i + 1 < l->sequence_length; i++) {
        char c = l->sequence[i];

        if ((c < '0' || c > '9') && c != ';') {
            return false;
        }
    }
    return true;
}

/* May this complete CSI sequence reach the terminal? */
static bool csi_is_harmless(struct line *l, char final)
{
    unsigned n;

    if (final == 'm') {
        l->styled = true;
        return csi_is_style(l);
    }
    if (!csi_parameter(l, &n)) {
        return false;
    }
    switch (final) {
    case 'K': /* erase to the end of the line */
    case 'J': /* ... of the screen; other values erase other lines */
        return n == 0;
    case 'C': /* right; stops at an edge we do not know, so not counted */
        return true;
    case 'D': /* left */
        n = n == 0 ? 1 : n;
        if (n > l->column) {
            return false;
        }
        l->column -= n;
        return true;
    default:
        return false;
    }
}

/* One byte inside an escape sequence. */
static void escape_put(struct channel *c, char byte)
{
    struct line *l = &c->line;
    bool is_parameter = byte >= 0x20 && byte <= 0x3f;

    if (l->sequence_length < ESCAPE_MAX) {
        l->sequence[l->sequence_length++] = byte;
    } else {
        l->sequence_overflow = true;
    }
    if (l->escape == ESCAPE_START) {
        l->escape = byte == '[' ? ESCAPE_CSI : ESCAPE_NONE;
        return;
    }
    if (is_parameter) {
        return;
    }
    l->escape = ESCAPE_NONE;
    line_reserve(c, ESCAPE_MAX);
    if (!l->sequence_overflow && csi_is_harmless(l, byte)) {
        line_append(c, l->sequence, l->sequence_length);
    }
}

/* A control of the C1 set: alone to some terminals, behind 0xc2 to those that
 * take UTF-8. Elsewhere the byte is the rest of a character. */
static bool is_c1(const struct line *l, unsigned char code)
{
    unsigned char before =
        l->length > 0 ? (unsigned char)l->text[l->length - 1] : 0;

    return code >= 0x80 && code < 0xa0 && (before < 0x80 || before == 0xc2);
}

static void text_put(struct channel *c, char byte)
{
    unsigned char code = (unsigned char)byte;

    if ((code < 0x20 && byte != '\t') || code == 0x7f ||
        is_c1(&c->line, code)) {
        byte = '?';
    }
    line_append(c, &byte, 1);
    /* Only what surely moves the cursor counts: not a tab at the right edge,
     * nor bytes of UTF-8, which may make up a character without width. */
    if (code >= 0x20 && code < 0x7f) {
        c->line.column++;
    }
}

static void control_put(struct channel *c, char byte)
{
    struct line *l = &c->line;

    switch (byte) {
    case '\n':
        line_end(c);
        break;
    case '\r':
        l->return_pending = true;
        break;
    case '\b':
        line_reserve(c, 1);
        if (l->column > 0) {
            line_append(c, &byte, 1);
            l->column--;
        }
        break;
    case ESC:
        l->escape = ESCAPE_START;
        l->sequence[0] = byte;
        l->sequence_length = 1;
        l->sequence_overflow = false;
        break;
    case '\0':
    case '\a':
        break;
    default:
        text_put(c, byte);
        break;
    }
}

static void byte_put(struct channel *c, char byte)
{
    if (c->line.escape != ESCAPE_NONE) {
        escape_put(c, byte);
        return;
    }
    if (c->line.return_pending && byte != '\r') {
        c->line.return_pending = false;
        if (byte != '\n') {
            line_restart(c);
        }
    }
    control_put(c, byte);
}

/* Length of the plain text at the start of s[len] that fits the line. */
static size_t text_run(const struct line *l, const char *s, size_t len)
{
    size_t max = rv_min(len, (size_t)(LINE_MAX - l->length));
    size_t n = 0;

    if (l->escape != ESCAPE_NONE || l->return_pending) {
        return 0;
    }
    while (n < max && s[n] >= 0x20 && s[n] < 0x7f) {
        n++;
    }
    return n;
}

size_t plain_put(struct channel *c, const char *s, size_t len)
{
    size_t run = text_run(&c->line, s, len);

    if (run == 0) {
        byte_put(c, s[0]);
        return 1;
    }
    line_append(c, s, run);
    c->line.column += (unsigned)run;
    return run;
}

void plain_finish(struct channel *c)
{
    if (c->line.length > 0 || shown == c) {
        line_end(c);
    }
}

void plain_focus_init(struct channel *c)
{
    focus = c;
    if (console_mode_get() == CONSOLE_PLAIN && focus_has_line()) {
        line_show(focus);
    }
}

void plain_focus_move(struct channel *c)
{
    struct channel *log = channel_find(CONSOLE_CHANNEL_LOG);
    char text[CONSOLE_NAME_MAX + 32];
    int n = fmt_snprintf(text, sizeof(text), "(rv) input to %s\n", c->name);

    focus = NULL;
    for (int i = 0; log != NULL && i < n; i++) {
        byte_put(log, text[i]);
    }
    plain_focus_init(c);
}
