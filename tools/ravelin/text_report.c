/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mistakes: collected as they are found, shown in the order of the text, each
 * with its rule, the line itself and what to do about it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text_private.h"

void text_add_mistake(struct text_manifest *t, enum manifest_rule rule,
                      struct text_mark mark, char *where, char *detail,
                      char *fix)
{
    struct text_mistake *m;

    t->mistake =
        xrealloc(t->mistake, (t->mistake_count + 1) * sizeof(*t->mistake));
    m = &t->mistake[t->mistake_count++];
    m->rule = rule;
    m->mark = mark;
    m->where = where != NULL ? where : xstrdup("");
    m->detail = detail != NULL ? detail : xstrdup("");
    m->fix = fix;
    if (manifest_rule_lookup(rule)->severity == MANIFEST_ERROR) {
        t->error_count++;
    } else {
        t->warning_count++;
    }
}

void text_add_domain_mistake(struct text_manifest *t, int domain, int field,
                             enum manifest_rule rule, char *detail, char *fix)
{
    struct text_place *place = &t->domain[domain];
    struct text_scope s = {
        .t = t,
        .scope = MANIFEST_IN_DOMAIN,
        .domain = domain,
        .place = place,
    };
    struct text_mark mark = place->value[field];

    if (place->is_wrong[field]) {
        free(detail);
        free(fix);
        return;
    }
    if (manifest_rule_lookup(rule)->severity == MANIFEST_ERROR) {
        place->is_wrong[field] = true;
    }
    text_add_mistake(t, rule, mark.line != 0 ? mark : place->start,
                     text_where(&s, manifest_field_lookup(field)->key), detail,
                     fix);
}

static int by_place(const void *a, const void *b)
{
    const struct text_mistake *x = *(const struct text_mistake *const *)a;
    const struct text_mistake *y = *(const struct text_mistake *const *)b;

    if (x->mark.line != y->mark.line) {
        return x->mark.line < y->mark.line ? -1 : 1;
    }
    if (x->mark.column != y->mark.column) {
        return x->mark.column < y->mark.column ? -1 : 1;
    }
    return x < y ? -1 : 1;
}

static const struct text_mistake **sorted(const struct text_manifest *t)
{
    const struct text_mistake **list =
        xalloc(t->mistake_count * sizeof(struct text_mistake *));

    for (size_t i = 0; i < t->mistake_count; i++) {
        list[i] = &t->mistake[i];
    }
    qsort(list, t->mistake_count, sizeof(*list), by_place);
    return list;
}

/* Prints text of the author's, with control characters made harmless. */
static void show_quoted(FILE *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        fputc(c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '?' : c, to);
    }
}

static void show_line(const struct text_manifest *t, struct text_mark mark,
                      FILE *to)
{
    const char *at = (const char *)t->source.data;
    const char *end;

    for (int line = 1; line < mark.line; line++) {
        at = strchr(at, '\n');
        if (at == NULL) {
            return;
        }
        at++;
    }
    end = strchrnul(at, '\n');
    fprintf(to, "%5d | ", mark.line);
    show_quoted(to, at, (size_t)(end - at));
    fprintf(to, "\n      | %*s^\n", mark.column - 1, "");
}

static const char *severity_name(const struct manifest_rule_info *rule)
{
    return rule->severity == MANIFEST_WARNING ? "warning" : "error";
}

static void show_mistake(const struct text_manifest *t,
                         const struct text_mistake *m, FILE *to, bool colour)
{
    const struct manifest_rule_info *rule = manifest_rule_lookup(m->rule);
    const char *tint =
        rule->severity == MANIFEST_WARNING ? "\033[33m" : "\033[31m";

    fprintf(to, "%s:%d:%d: %s%s M%03u%s: ", t->path, m->mark.line,
            m->mark.column, colour ? tint : "", severity_name(rule),
            rule->number, colour ? "\033[0m" : "");
    if (m->where[0] != '\0') {
        fprintf(to, "%s: ", m->where);
    }
    fputs(rule->text, to);
    if (m->detail[0] != '\0') {
        fputs(": ", to);
        show_quoted(to, m->detail, strlen(m->detail));
    }
    fputc('\n', to);
    show_line(t, m->mark, to);
    fprintf(to, "      = fix: %s\n", m->fix != NULL ? m->fix : rule->fix);
}

void text_show_mistakes(const struct text_manifest *t, FILE *to, bool colour)
{
    const struct text_mistake **list = sorted(t);

    for (size_t i = 0; i < t->mistake_count; i++) {
        show_mistake(t, list[i], to, colour);
    }
    free(list);
}

json_t *text_mistakes_json(const struct text_manifest *t)
{
    const struct text_mistake **list = sorted(t);
    json_t *array = json_array();

    for (size_t i = 0; i < t->mistake_count; i++) {
        const struct text_mistake *m = list[i];
        const struct manifest_rule_info *rule = manifest_rule_lookup(m->rule);
        char *number = xprintf("M%03u", rule->number);

        json_array_append_new(
            array,
            json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s}", "rule",
                      number, "severity", severity_name(rule), "file", t->path,
                      "line", m->mark.line, "column", m->mark.column, "where",
                      m->where, "text", rule->text, "detail", m->detail, "fix",
                      m->fix != NULL ? m->fix : rule->fix));
        free(number);
    }
    free(list);
    return array;
}
