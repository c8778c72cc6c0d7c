/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parser of one record. No allocation, no state; every length is checked
 * before the byte behind it is looked at.
 */
#include <string.h>

#include "events.h"

const char *const event_kind_name[EK_COUNT] = {
    [EK_CR0] = "cr0",         [EK_CR3] = "cr3",       [EK_CR4] = "cr4",
    [EK_INT3] = "int3",       [EK_ACCESS] = "access", [EK_STEP] = "step",
    [EK_REQUEST] = "request", [EK_MSR] = "msr",       [EK_INJECT] = "inject",
};

const char *const event_verb_name[EV_VERB_COUNT] = {
    [EV_START] = "start", [EV_EVENT] = "event",     [EV_NAME] = "name",
    [EV_NOTE] = "note",   [EV_LOADS] = "loads",     [EV_BYTES] = "bytes",
    [EV_LOST] = "lost",   [EV_PROCESS] = "process", [EV_COUNT] = "count",
    [EV_END] = "end",
};

const char *const event_number_name[EN_NUMBER_COUNT] = {
    [EN_VERSION] = "version", [EN_SEQ] = "seq",       [EN_TIME] = "time",
    [EN_DOMAIN] = "domain",   [EN_VCPU] = "vcpu",     [EN_VCPUS] = "vcpus",
    [EN_NEW] = "new",         [EN_OLD] = "old",       [EN_GLA] = "gla",
    [EN_GFN] = "gfn",         [EN_OFFSET] = "offset", [EN_RIP] = "rip",
    [EN_CR3] = "cr3",         [EN_COUNT] = "count",   [EN_LOADS] = "loads",
    [EN_VECTOR] = "vector",   [EN_MSR] = "msr",       [EN_RESULT] = "result",
};

const char *const event_text_name[ET_TEXT_COUNT] = {
    [ET_TEXT] = "text",     [ET_MODE] = "mode",   [ET_WATCH] = "watch",
    [ET_BEFORE] = "before", [ET_AFTER] = "after",
};

#define BIT(n) (1u << (n))

/* What a record of each verb must have. */
static const struct {
    uint32_t numbers;
    uint32_t texts;
    bool has_kind;
} required[EV_VERB_COUNT] = {
    [EV_START] = {BIT(EN_VERSION) | BIT(EN_DOMAIN) | BIT(EN_TIME), 0, false},
    [EV_EVENT] = {BIT(EN_SEQ) | BIT(EN_TIME) | BIT(EN_DOMAIN) | BIT(EN_VCPU), 0,
                  true},
    [EV_NAME] = {BIT(EN_DOMAIN) | BIT(EN_CR3), BIT(ET_TEXT), false},
    [EV_NOTE] = {BIT(EN_TIME), BIT(ET_TEXT), false},
    [EV_LOADS] = {BIT(EN_DOMAIN) | BIT(EN_CR3) | BIT(EN_COUNT), 0, false},
    [EV_BYTES] = {BIT(EN_SEQ), BIT(ET_BEFORE) | BIT(ET_AFTER), false},
    [EV_LOST] = {BIT(EN_DOMAIN) | BIT(EN_COUNT), 0, false},
    [EV_PROCESS] = {BIT(EN_DOMAIN) | BIT(EN_CR3) | BIT(EN_LOADS), 0, false},
    [EV_COUNT] = {BIT(EN_DOMAIN) | BIT(EN_COUNT), 0, true},
    [EV_END] = {BIT(EN_DOMAIN) | BIT(EN_TIME), 0, false},
};

/* And an event of each kind. */
static const struct {
    uint32_t numbers;
    bool has_access;
} required_of_kind[EK_COUNT] = {
    [EK_CR0] = {BIT(EN_NEW), false},
    [EK_CR3] = {BIT(EN_NEW), false},
    [EK_CR4] = {BIT(EN_NEW), false},
    [EK_INT3] = {BIT(EN_GLA), false},
    [EK_ACCESS] = {BIT(EN_GFN), true},
    [EK_STEP] = {BIT(EN_GLA), false},
    [EK_REQUEST] = {0, false},
    [EK_MSR] = {BIT(EN_MSR) | BIT(EN_NEW), false},
    [EK_INJECT] = {BIT(EN_VECTOR) | BIT(EN_RESULT), false},
};

struct cursor {
    const char *at;
    const char *end;
};

struct word {
    const char *at;
    size_t len;
};

static int word_find(struct word w, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) == w.len && memcmp(names[i], w.at, w.len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int event_kind_find(const char *name, size_t len)
{
    return word_find((struct word){name, len}, event_kind_name, EK_COUNT);
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
           c == ',' || c == ':' || c == '+';
}

static struct word word_take(struct cursor *c)
{
    struct word w = {c->at, 0};

    while (c->at < c->end && is_word_char(*c->at)) {
        c->at++;
    }
    w.len = (size_t)(c->at - w.at);
    return w;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/* Decimal, or hexadecimal after 0x; exactly 64 bits, no sign. */
static bool number_parse(struct word w, uint64_t *out)
{
    unsigned int base = 10;
    uint64_t value = 0;

    if (w.len > 2 && w.at[0] == '0' && w.at[1] == 'x') {
        base = 16;
        w.at += 2;
        w.len -= 2;
    }
    if (w.len == 0) {
        return false;
    }
    for (size_t i = 0; i < w.len; i++) {
        int digit = digit_value(w.at[i]);

        if (digit < 0 || (unsigned int)digit >= base ||
            value > (UINT64_MAX - (unsigned int)digit) / base) {
            return false;
        }
        value = value * base + (unsigned int)digit;
    }
    *out = value;
    return true;
}

static bool access_parse(struct word w, uint32_t *out)
{
    static const char letters[] = "rwx";

    *out = 0;
    for (size_t i = 0; i < w.len; i++) {
        const char *at = memchr(letters, w.at[i], 3);
        uint32_t bit = at == NULL ? 0 : BIT(at - letters);

        if (bit == 0 || (*out & bit) != 0) {
            return false;
        }
        *out |= bit;
    }
    return w.len > 0;
}

/* After a backslash: a quote, a backslash, or xHH. @return -1 if neither. */
static int escape_take(struct cursor *c)
{
    int high, low;

    if (c->at < c->end && (*c->at == '"' || *c->at == '\\')) {
        return (unsigned char)*c->at++;
    }
    if (c->end - c->at < 3 || c->at[0] != 'x') {
        return -1;
    }
    high = digit_value(c->at[1]);
    low = digit_value(c->at[2]);
    c->at += 3;
    return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

/* A text in quotes, or a bare word. */
static bool text_take(struct cursor *c, char *out)
{
    size_t len = 0;

    if (c->at == c->end || *c->at != '"') {
        struct word w = word_take(c);

        if (w.len == 0 || w.len >= EVENTS_TEXT_SIZE) {
            return false;
        }
        memcpy(out, w.at, w.len);
        out[w.len] = '\0';
        return true;
    }
    for (c->at++; c->at < c->end && *c->at != '"'; len++) {
        int value = (unsigned char)*c->at++;

        if (value == '\\') {
            value = escape_take(c);
        } else if (value < 0x20 || value > 0x7e) {
            return false;
        }
        if (value < 0 || len + 1 >= EVENTS_TEXT_SIZE) {
            return false;
        }
        out[len] = (char)value;
    }
    out[len] = '\0';
    return c->at < c->end && *c->at++ == '"';
}

static bool kind_take(struct cursor *c, struct event_record *e)
{
    struct word w = word_take(c);
    int kind = event_kind_find(w.at, w.len);

    if (e->has_kind || kind < 0) {
        return false;
    }
    e->has_kind = true;
    e->kind = (enum event_kind)kind;
    return true;
}

static bool access_take(struct cursor *c, struct event_record *e)
{
    if (e->has_access) {
        return false;
    }
    e->has_access = true;
    return access_parse(word_take(c), &e->access);
}

static bool number_take(struct cursor *c, struct event_record *e, int n)
{
    if ((e->present & BIT(n)) != 0) {
        return false;
    }
    e->present |= BIT(n);
    return number_parse(word_take(c), &e->number[n]);
}

/* One "key=value". */
static bool field_take(struct cursor *c, struct event_record *e)
{
    static const char *const special[] = {"kind", "access"};
    char ignored[EVENTS_TEXT_SIZE];
    struct word key = word_take(c);
    int n;

    if (key.len == 0 || c->at == c->end || *c->at++ != '=') {
        return false;
    }
    n = word_find(key, special, 2);
    if (n >= 0) {
        return n == 0 ? kind_take(c, e) : access_take(c, e);
    }
    n = word_find(key, event_number_name, EN_NUMBER_COUNT);
    if (n >= 0) {
        return number_take(c, e, n);
    }
    n = word_find(key, event_text_name, ET_TEXT_COUNT);
    if (n >= 0) {
        if ((e->text_present & BIT(n)) != 0) {
            return false;
        }
        e->text_present |= BIT(n);
        return text_take(c, e->text[n]);
    }
    return text_take(c, ignored);
}

/* Ids end up in counters and names of files; no machine has more of them. */
static bool is_in_range(const struct event_record *e)
{
    return (!event_has(e, EN_DOMAIN) || e->number[EN_DOMAIN] < 0x8000) &&
           (!event_has(e, EN_VCPU) || e->number[EN_VCPU] < 0x1000) &&
           (!event_has(e, EN_TIME) || e->number[EN_TIME] < 1ull << 62);
}

static bool is_complete(const struct event_record *e)
{
    uint32_t numbers = required[e->verb].numbers;

    if (required[e->verb].has_kind && !e->has_kind) {
        return false;
    }
    if (e->verb == EV_EVENT) {
        numbers |= required_of_kind[e->kind].numbers;
        if (required_of_kind[e->kind].has_access && !e->has_access) {
            return false;
        }
    }
    return (e->present & numbers) == numbers &&
           (e->text_present & required[e->verb].texts) ==
               required[e->verb].texts;
}

enum event_parse event_parse_line(const char *line, size_t len,
                                  struct event_record *out)
{
    const size_t prefix = sizeof(EVENTS_PREFIX) - 1;
    struct cursor c = {line, line + len};
    struct word w;
    int verb;

    if (len < prefix || memcmp(line, EVENTS_PREFIX, prefix) != 0) {
        return EP_OTHER;
    }
    memset(out, 0, sizeof(*out));
    if (len > EVENTS_LINE_MAX) {
        return EP_MALFORMED;
    }
    c.at += prefix;
    w = word_take(&c);
    verb = word_find(w, event_verb_name, EV_VERB_COUNT);
    if (verb < 0) {
        return w.len > 0 ? EP_UNKNOWN : EP_MALFORMED;
    }
    out->verb = (enum event_verb)verb;
    while (c.at < c.end) {
        if (*c.at++ != ' ' || !field_take(&c, out)) {
            return EP_MALFORMED;
        }
    }
    return is_complete(out) && is_in_range(out) ? EP_RECORD : EP_MALFORMED;
}
