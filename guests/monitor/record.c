/* SPDX-License-Identifier: MIT */
/*
 * Writer of records. Whatever a guest's text holds, it cannot end the line or
 * the quotes around it.
 */

#include "record.h"

#include "guest.h"

#define LINE_MAX 512u

static char buffer[8192];
static uint32_t used;

void record_flush(void)
{
    uint32_t at, n;

    for (at = 0; at < used; at += n) {
        n = used - at < 2048 ? used - at : 2048;
        console_write(buffer + at, n);
    }
    used = 0;
}

static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    used += (uint32_t)format_va(buffer + used, LINE_MAX, fmt, args);
    va_end(args);
}

static void line_begin(void)
{
    if (used + 2 * LINE_MAX > sizeof(buffer)) {
        record_flush();
    }
    put("@mon ");
}

static void line_end(void)
{
    buffer[used++] = '\n';
}

void record_put(const char *fmt, ...)
{
    va_list args;

    line_begin();
    va_start(args, fmt);
    used += (uint32_t)format_va(buffer + used, LINE_MAX, fmt, args);
    va_end(args);
    line_end();
}

const char *record_escape(const char *text, char *out, uint32_t size)
{
    uint32_t n = 0;

    for (; *text && n + 5 < size; text++) {
        uint8_t c = (uint8_t)*text;

        if (c == '"' || c == '\\') {
            out[n++] = '\\';
            out[n++] = (char)c;
        } else if (c < 0x20 || c > 0x7e) {
            n += (uint32_t)format(out + n, 5, "\\x%02x", c);
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
    return out;
}

const char *record_hex(const uint8_t *bytes, uint32_t count, char *out)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        format(out + 2 * i, 3, "%02x", bytes[i]);
    }
    return out;
}

/* ---- Events -------------------------------------------------------------- */

static const char *const kinds[RAVELIN_REASON_COUNT] = {
    [RAVELIN_REASON_VIOLATION] = "access", [RAVELIN_REASON_CR0] = "cr0",
    [RAVELIN_REASON_CR3] = "cr3",          [RAVELIN_REASON_CR4] = "cr4",
    [RAVELIN_REASON_INT3] = "int3",        [RAVELIN_REASON_STEP] = "step",
    [RAVELIN_REASON_REQUEST] = "request",  [RAVELIN_REASON_MSR] = "msr",
    [RAVELIN_REASON_INJECT] = "inject",
};

static void put_access(const struct ravelin_event *ev)
{
    put(" access=%s%s%s gfn=0x%llx offset=0x%llx cr3=0x%llx rip=0x%llx",
        ev->flags & RAVELIN_EVENT_READ ? "r" : "",
        ev->flags & RAVELIN_EVENT_WRITE ? "w" : "",
        ev->flags & RAVELIN_EVENT_EXEC ? "x" : "",
        (unsigned long long)(ev->value >> 12),
        (unsigned long long)(ev->value & 0xfff), (unsigned long long)ev->cr3,
        (unsigned long long)ev->rip);
    if (ev->flags & RAVELIN_EVENT_GLA) {
        put(" gla=0x%llx", (unsigned long long)ev->gla);
    }
}

static void put_details(const struct ravelin_event *ev)
{
    switch (ev->reason) {
    case RAVELIN_REASON_CR3:
        put(" new=0x%llx", (unsigned long long)ev->value);
        break;
    case RAVELIN_REASON_CR0:
    case RAVELIN_REASON_CR4:
        put(" old=0x%llx new=0x%llx rip=0x%llx", (unsigned long long)ev->old,
            (unsigned long long)ev->value, (unsigned long long)ev->rip);
        break;
    case RAVELIN_REASON_INT3:
        put(" gla=0x%llx gfn=0x%llx cr3=0x%llx", (unsigned long long)ev->gla,
            (unsigned long long)(ev->value >> 12), (unsigned long long)ev->cr3);
        break;
    case RAVELIN_REASON_VIOLATION:
        put_access(ev);
        break;
    case RAVELIN_REASON_STEP:
        put(" gla=0x%llx", (unsigned long long)ev->gla);
        break;
    case RAVELIN_REASON_MSR:
        put(" msr=0x%llx old=0x%llx new=0x%llx", (unsigned long long)ev->gla,
            (unsigned long long)ev->old, (unsigned long long)ev->value);
        break;
    case RAVELIN_REASON_INJECT:
        put(" vector=%u result=%u", (unsigned int)ev->value,
            (unsigned int)ev->old);
        break;
    default:
        break;
    }
}

void record_event(unsigned int domid, const struct ravelin_event *ev)
{
    const char *kind =
        ev->reason < RAVELIN_REASON_COUNT ? kinds[ev->reason] : NULL;

    if (!kind) {
        return;
    }
    line_begin();
    put("event seq=%u time=%llu domain=%u vcpu=%u kind=%s", ev->sequence,
        (unsigned long long)ev->time_ns, domid, ev->vcpu, kind);
    put_details(ev);
    line_end();
}
