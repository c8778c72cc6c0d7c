/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoders for the values of settings, one per kind of the schema. A wrong
 * value leaves the default in place and adds a mistake, so that reading goes
 * on and one run finds them all.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text_private.h"

#define WORDS_MAX 16u

static void mistake(struct text_scope *s, int field, enum manifest_rule rule,
                    struct text_mark mark, char *detail, char *fix)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);

    s->place->is_wrong[field] = true;
    text_add_mistake(s->t, rule, mark, text_where(s, f->key), detail, fix);
}

static void store_u32(struct text_scope *s, int field, uint32_t value)
{
    memcpy((char *)s->base + manifest_field_lookup(field)->offset, &value,
           sizeof(value));
}

static void store_u64(struct text_scope *s, int field, uint64_t value)
{
    memcpy((char *)s->base + manifest_field_lookup(field)->offset, &value,
           sizeof(value));
}

static char *allowed_words(const struct manifest_field_info *f)
{
    char *text = xstrdup("use one of:");

    for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
        char *longer = xprintf("%s %s", text, w->word);

        free(text);
        text = longer;
    }
    return text;
}

static void wrong_word(struct text_scope *s, int field, const char *word,
                       struct text_mark mark)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);
    const char *words[WORDS_MAX];
    size_t n = 0;
    const char *near;

    while (n < WORDS_MAX && f->words[n].word != NULL) {
        words[n] = f->words[n].word;
        n++;
    }
    near = suggest_word(word, words, n);
    mistake(s, field, MANIFEST_E_VALUE_WORD, mark, xstrdup(word),
            near != NULL ? xprintf("did you mean '%s'?", near)
                         : allowed_words(f));
}

/*
 * A whole number, decimal or hexadecimal, with a binary unit or none.
 * @return 0; the rule that is broken.
 */
static enum manifest_rule read_number(const char *text, uint64_t *value,
                                      bool *has_unit)
{
    static const char units[] = "KMGT";
    unsigned long long n;
    const char *unit;
    unsigned int shift;
    char *end;

    errno = 0;
    n = strtoull(text, &end, 0);
    if (!isdigit((unsigned char)text[0]) || errno != 0) {
        return MANIFEST_E_VALUE_TYPE;
    }
    *has_unit = *end != '\0';
    *value = n;
    if (!*has_unit) {
        return MANIFEST_OK;
    }
    unit = strchr(units, *end);
    if (unit == NULL || (strcmp(end + 1, "") != 0 && strcmp(end + 1, "iB") &&
                         strcmp(end + 1, "B") != 0)) {
        return MANIFEST_E_VALUE_TYPE;
    }
    shift = 10u * (unsigned int)(unit - units + 1);
    if (n > UINT64_MAX >> shift) {
        return MANIFEST_E_VALUE_RANGE;
    }
    *value = n << shift;
    return MANIFEST_OK;
}

static void check_and_store(struct text_scope *s, int field, const char *text,
                            uint64_t value, struct text_mark mark)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);
    enum manifest_rule rule = manifest_number_check(f, value);

    if (rule == MANIFEST_E_VALUE_RANGE) {
        char *fix = f->type == MANIFEST_SIZE
                        ? xprintf("use a size from %lluM to %lluG",
                                  (unsigned long long)f->min >> 20,
                                  (unsigned long long)f->max >> 30)
                        : xprintf("use a number from %llu to %llu",
                                  (unsigned long long)f->min,
                                  (unsigned long long)f->max);

        mistake(s, field, rule, mark, xstrdup(text), fix);
    } else if (rule != MANIFEST_OK) {
        mistake(s, field, rule, mark, xstrdup(text), NULL);
    } else if (f->size == sizeof(uint64_t)) {
        store_u64(s, field, value);
    } else {
        store_u32(s, field, (uint32_t)value);
    }
}

static void decode_number(struct text_scope *s, int field, yaml_node_t *node)
{
    const char *text = text_scalar(node);
    struct text_mark mark = text_mark_of(node);
    bool is_size = manifest_field_lookup(field)->type == MANIFEST_SIZE;
    enum manifest_rule rule;
    uint64_t value;
    bool has_unit;

    if (text == NULL) {
        mistake(s, field, MANIFEST_E_VALUE_TYPE, mark, NULL,
                xstrdup("write one whole number"));
        return;
    }
    rule = read_number(text, &value, &has_unit);
    if (rule == MANIFEST_E_VALUE_TYPE || (is_size && !has_unit)) {
        mistake(s, field,
                is_size ? MANIFEST_E_SIZE_UNIT : MANIFEST_E_VALUE_TYPE, mark,
                xstrdup(text),
                is_size ? NULL : xstrdup("write one whole number"));
        return;
    }
    if (rule != MANIFEST_OK) {
        value = UINT64_MAX;
    }
    check_and_store(s, field, text, value, mark);
}

/* "0-3,5": ranges and single CPUs. */
static bool read_cpu_list(const char *text, uint64_t *mask)
{
    *mask = 0;
    if (strcmp(text, "all") == 0) {
        *mask = UINT64_MAX;
        return true;
    }
    for (;;) {
        unsigned long first, last;
        char *end;

        if (!isdigit((unsigned char)*text)) {
            return false;
        }
        first = last = strtoul(text, &end, 10);
        if (*end == '-' && isdigit((unsigned char)end[1])) {
            last = strtoul(end + 1, &end, 10);
        }
        if (first > last || last > 63) {
            return false;
        }
        for (; first <= last; first++) {
            *mask |= 1ull << first;
        }
        if (*end == '\0') {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        text = end + 1 + strspn(end + 1, " ");
    }
}

/* Calls @each for a scalar, or for every scalar of a sequence. */
static void for_each_scalar(struct text_scope *s, int field, yaml_node_t *node,
                            void (*each)(struct text_scope *s, int field,
                                         const char *text,
                                         struct text_mark mark))
{
    yaml_node_item_t *item;

    if (node->type != YAML_SEQUENCE_NODE) {
        if (text_scalar(node) != NULL) {
            each(s, field, text_scalar(node), text_mark_of(node));
        } else {
            mistake(s, field, MANIFEST_E_VALUE_TYPE, text_mark_of(node), NULL,
                    xstrdup("write a list such as [a, b]"));
        }
        return;
    }
    for (item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        yaml_node_t *entry = yaml_document_get_node(s->doc, *item);

        if (text_scalar(entry) != NULL) {
            each(s, field, text_scalar(entry), text_mark_of(entry));
        } else {
            mistake(s, field, MANIFEST_E_VALUE_TYPE, text_mark_of(entry), NULL,
                    xstrdup("write a list such as [a, b]"));
        }
    }
}

static void add_cpus(struct text_scope *s, int field, const char *text,
                     struct text_mark mark)
{
    size_t offset = manifest_field_lookup(field)->offset;
    uint64_t mask, sum;

    if (!read_cpu_list(text, &mask)) {
        mistake(s, field, MANIFEST_E_CPU_LIST, mark, xstrdup(text), NULL);
        return;
    }
    memcpy(&sum, (char *)s->base + offset, sizeof(sum));
    store_u64(s, field, sum | mask);
}

static void decode_cpus(struct text_scope *s, int field, yaml_node_t *node)
{
    size_t offset = manifest_field_lookup(field)->offset;
    uint64_t mask;

    store_u64(s, field, 0);
    for_each_scalar(s, field, node, add_cpus);
    memcpy(&mask, (char *)s->base + offset, sizeof(mask));
    if (mask == 0) {
        store_u64(s, field, UINT64_MAX);
        if (!s->place->is_wrong[field]) {
            mistake(s, field, MANIFEST_E_CPU_LIST, text_mark_of(node), NULL,
                    NULL);
        }
    }
}

static void add_flag(struct text_scope *s, int field, const char *text,
                     struct text_mark mark)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);
    uint32_t flag, flags;

    if (!manifest_word_find(f, text, strlen(text), &flag)) {
        wrong_word(s, field, text, mark);
        return;
    }
    memcpy(&flags, (char *)s->base + f->offset, sizeof(flags));
    store_u32(s, field, flags | flag);
}

static void decode_flags(struct text_scope *s, int field, yaml_node_t *node)
{
    for_each_scalar(s, field, node, add_flag);
}

static void add_reference(struct text_scope *s, int field, const char *text,
                          struct text_mark mark)
{
    struct text_manifest *t = s->t;
    struct text_reference *r;

    t->reference = xrealloc(t->reference,
                            (t->reference_count + 1) * sizeof(*t->reference));
    r = &t->reference[t->reference_count++];
    r->domain = s->domain;
    r->rule = s->rule;
    r->field = field;
    r->name = xstrdup(text);
    r->mark = mark;
}

static void decode_targets(struct text_scope *s, int field, yaml_node_t *node)
{
    for_each_scalar(s, field, node, add_reference);
}

static void decode_endpoint(struct text_scope *s, int field, yaml_node_t *node)
{
    struct manifest_end end = {MANIFEST_ANY_DOMAIN, MANIFEST_ANY_PORT};
    const char *text = text_scalar(node);
    const char *colon;
    char *name;
    uint64_t port = 0;
    bool has_unit = false;

    if (text == NULL) {
        mistake(s, field, MANIFEST_E_ENDPOINT, text_mark_of(node), NULL, NULL);
        return;
    }
    colon = strchrnul(text, ':');
    if (*colon == ':' &&
        (read_number(colon + 1, &port, &has_unit) != MANIFEST_OK || has_unit ||
         port == 0 || port > UINT32_MAX)) {
        mistake(s, field, MANIFEST_E_ENDPOINT, text_mark_of(node),
                xstrdup(text), NULL);
        return;
    }
    end.port = (uint32_t)port;
    memcpy((char *)s->base + manifest_field_lookup(field)->offset, &end,
           sizeof(end));
    name = xstrndup(text, (size_t)(colon - text));
    if (strcmp(name, "any") != 0) {
        add_reference(s, field, name, text_mark_of(node));
    }
    free(name);
}

static void decode_word(struct text_scope *s, int field, yaml_node_t *node)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);
    const char *text = text_scalar(node);
    uint32_t value;

    if (text == NULL) {
        mistake(s, field, MANIFEST_E_VALUE_TYPE, text_mark_of(node), NULL,
                allowed_words(f));
    } else if (manifest_word_find(f, text, strlen(text), &value)) {
        store_u32(s, field, value);
    } else {
        wrong_word(s, field, text, text_mark_of(node));
    }
}

static void decode_file(struct text_scope *s, int field, const char *text,
                        struct text_mark mark)
{
    if (text[0] == '\0') {
        mistake(s, field, MANIFEST_E_TEXT_LENGTH, mark, NULL,
                xstrdup("name a file, or leave the setting out"));
        return;
    }
    s->t->file[s->domain][text_file_of(field)] =
        text_expand(s, field, text, mark);
}

static void decode_text(struct text_scope *s, int field, yaml_node_t *node)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);
    const char *text = text_scalar(node);
    enum manifest_rule rule;

    if (text == NULL) {
        mistake(s, field, MANIFEST_E_VALUE_TYPE, text_mark_of(node), NULL,
                xstrdup("write one text"));
        return;
    }
    if (text_file_of(field) != TEXT_FILE_COUNT) {
        decode_file(s, field, text, text_mark_of(node));
        return;
    }
    rule = manifest_text_check(f, text, strlen(text));
    if (rule == MANIFEST_E_TEXT_LENGTH) {
        mistake(s, field, rule, text_mark_of(node),
                xprintf("%zu characters", strlen(text)),
                xprintf("use %llu to %llu characters",
                        (unsigned long long)f->min,
                        (unsigned long long)f->max));
    } else if (rule != MANIFEST_OK) {
        mistake(s, field, rule, text_mark_of(node), xstrdup(text), NULL);
    } else {
        memcpy((char *)s->base + f->offset, text, strlen(text) + 1);
    }
}

static void (*const decoders[])(struct text_scope *s, int field,
                                yaml_node_t *node) = {
    [MANIFEST_TEXT] = decode_text,         [MANIFEST_IDENT] = decode_text,
    [MANIFEST_NUMBER] = decode_number,     [MANIFEST_SIZE] = decode_number,
    [MANIFEST_CPUS] = decode_cpus,         [MANIFEST_WORD] = decode_word,
    [MANIFEST_FLAGS] = decode_flags,       [MANIFEST_TARGETS] = decode_targets,
    [MANIFEST_ENDPOINT] = decode_endpoint,
};

void text_decode(struct text_scope *s, int field, yaml_node_t *node)
{
    decoders[manifest_field_lookup(field)->type](s, field, node);
}
