/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pattern is searched in all output of its domain since that domain's last
 * match, so output that came before its step was reached is not lost.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

/* Output kept per domain while no pattern matches. */
#define OUTPUT_MAX (1u << 20)

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Resolves one escape at @p (after the backslash). @return end, or NULL. */
static const char *unescape(const char *p, char *to)
{
    static const char from[] = "nrte\\";
    static const char into[] = "\n\r\t\033\\";
    const char *at;

    if (*p == 'x' && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
        *to = (char)(hex_value(p[1]) << 4 | hex_value(p[2]));
        return p + 3;
    }
    at = *p == '\0' ? NULL : strchr(from, *p);
    if (at == NULL) {
        return NULL;
    }
    *to = into[at - from];
    return p + 1;
}

static const char *compile_send(struct script_step *step)
{
    const char *p = step->text;

    step->bytes = xalloc(strlen(p) + 1);
    while (*p != '\0') {
        if (*p != '\\') {
            step->bytes[step->len++] = *p++;
            continue;
        }
        p = unescape(p + 1, &step->bytes[step->len]);
        if (p == NULL) {
            return "unknown escape; known are \\n \\r \\t \\e \\\\ and \\xHH";
        }
        step->len++;
    }
    return NULL;
}

const char *script_add(struct script *s, enum step_kind kind, const char *arg)
{
    const char *colon = strchr(arg, ':');
    const char *wrong = NULL;
    struct script_step *step;

    if (colon == NULL || colon == arg) {
        return "write it as DOMAIN:TEXT";
    }
    s->step = xrealloc(s->step, (s->step_count + 1) * sizeof(*s->step));
    step = &s->step[s->step_count];
    memset(step, 0, sizeof(*step));
    step->kind = kind;
    step->domain = xstrndup(arg, (size_t)(colon - arg));
    step->text = xstrdup(colon + 1);
    if (kind == STEP_SEND) {
        wrong = compile_send(step);
    } else if (regcomp(&step->pattern, step->text,
                       REG_EXTENDED | REG_NEWLINE) != 0) {
        wrong = "this is not an extended regular expression";
    }
    if (wrong != NULL) {
        free(step->domain);
        free(step->text);
        free(step->bytes);
        return wrong;
    }
    s->step_count++;
    return NULL;
}

static struct script_output *output_find(struct script *s, const char *domain)
{
    for (size_t i = 0; i < s->output_count; i++) {
        if (strcmp(s->output[i].domain, domain) == 0) {
            return &s->output[i];
        }
    }
    return NULL;
}

static struct script_output *output_get(struct script *s, const char *domain)
{
    struct script_output *o = output_find(s, domain);

    if (o == NULL) {
        s->output =
            xrealloc(s->output, (s->output_count + 1) * sizeof(*s->output));
        o = &s->output[s->output_count++];
        memset(o, 0, sizeof(*o));
        o->domain = xstrdup(domain);
        o->text = xalloc(OUTPUT_MAX + 1);
    }
    return o;
}

/* Makes room for one more byte by forgetting the older half. */
static void output_trim(struct script_output *o)
{
    size_t drop = OUTPUT_MAX / 2;

    if (o->len < OUTPUT_MAX) {
        return;
    }
    memmove(o->text, o->text + drop, o->len - drop);
    o->len -= drop;
    o->searched = o->searched > drop ? o->searched - drop : 0;
}

static void output_add(struct script_output *o, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        output_trim(o);
        o->text[o->len++] = text[i];
    }
    o->text[o->len] = '\0';
}

void script_feed(struct script *s, const char *domain, const char *bytes,
                 size_t len)
{
    struct script_output *o;

    if (s->step_count == 0) {
        return;
    }
    o = output_get(s, domain);
    for (size_t i = 0; i < len; i++) {
        switch (ansi_feed(&o->ansi, (unsigned char)bytes[i])) {
        case ANSI_TEXT:
            output_add(o, o->ansi.text, o->ansi.text_len);
            break;
        case ANSI_CONTROL:
            if (o->ansi.final == '\n' || o->ansi.final == '\t') {
                output_add(o, &o->ansi.final, 1);
            }
            break;
        default:
            break;
        }
    }
}

static bool step_matches(struct script *s, const struct script_step *step)
{
    struct script_output *o = output_find(s, step->domain);
    regmatch_t match;
    int flags;

    if (o == NULL) {
        return false;
    }
    /* The middle of a line is not its start. */
    flags =
        o->searched > 0 && o->text[o->searched - 1] != '\n' ? REG_NOTBOL : 0;
    if (regexec(&step->pattern, o->text + o->searched, 1, &match, flags) != 0) {
        return false;
    }
    o->searched += (size_t)match.rm_eo;
    return true;
}

bool script_advance(struct script *s,
                    void (*send)(void *ctx, const struct script_step *step),
                    void *ctx)
{
    while (s->done < s->step_count) {
        const struct script_step *step = &s->step[s->done];

        if (step->kind == STEP_SEND) {
            send(ctx, step);
        } else if (!step_matches(s, step)) {
            return false;
        }
        s->done++;
    }
    return true;
}

void script_free(struct script *s)
{
    for (size_t i = 0; i < s->step_count; i++) {
        if (s->step[i].kind == STEP_EXPECT) {
            regfree(&s->step[i].pattern);
        }
        free(s->step[i].domain);
        free(s->step[i].text);
        free(s->step[i].bytes);
    }
    for (size_t i = 0; i < s->output_count; i++) {
        free(s->output[i].domain);
        free(s->output[i].text);
    }
    free(s->step);
    free(s->output);
    memset(s, 0, sizeof(*s));
}
