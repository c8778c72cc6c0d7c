/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property decoders, one per kind of value. Each sees bytes of an untrusted
 * blob with a length that libfdt has verified, and writes its member only.
 */
#include <libfdt.h>

#include "ravelin/errno.h"
#include "ravelin/string.h"

#include "decode.h"
#include "line.h"

/* A property, its schema row and where its value goes. */
struct value {
    const struct manifest_field_info *f;
    const char *bytes;
    size_t len;
    char *to;
};

static uint32_t load_cell(const char *bytes)
{
    fdt32_t cell;

    memcpy(&cell, bytes, sizeof(cell));
    return fdt32_to_cpu(cell);
}

static uint64_t load_two_cells(const char *bytes)
{
    return (uint64_t)load_cell(bytes) << 32 | load_cell(bytes + 4);
}

static void store_u32(const struct value *v, uint32_t value)
{
    memcpy(v->to, &value, sizeof(value));
}

/* Length of the only string of the property; false if it is not just one. */
static bool string_length(const struct value *v, size_t *len)
{
    if (v->len == 0 || v->bytes[v->len - 1] != '\0') {
        return false;
    }
    *len = strnlen(v->bytes, v->len);
    return *len == v->len - 1;
}

static enum manifest_rule decode_text(const struct value *v)
{
    enum manifest_rule rule;
    size_t len;

    if (!string_length(v, &len)) {
        return MANIFEST_E_VALUE_TYPE;
    }
    rule = manifest_text_check(v->f, v->bytes, len);
    if (rule == MANIFEST_OK) {
        memcpy(v->to, v->bytes, len + 1);
    }
    return rule;
}

static enum manifest_rule decode_number(const struct value *v)
{
    if (v->len != 4) {
        return MANIFEST_E_VALUE_TYPE;
    }
    store_u32(v, load_cell(v->bytes));
    return manifest_number_check(v->f, load_cell(v->bytes));
}

static enum manifest_rule decode_wide(const struct value *v)
{
    uint64_t value;

    if (v->len != 8) {
        return MANIFEST_E_VALUE_TYPE;
    }
    value = load_two_cells(v->bytes);
    memcpy(v->to, &value, sizeof(value));
    return manifest_number_check(v->f, value);
}

static enum manifest_rule decode_word(const struct value *v)
{
    uint32_t value;
    size_t len;

    if (!string_length(v, &len)) {
        return MANIFEST_E_VALUE_TYPE;
    }
    if (!manifest_word_find(v->f, v->bytes, len, &value)) {
        return MANIFEST_E_VALUE_WORD;
    }
    store_u32(v, value);
    return MANIFEST_OK;
}

static enum manifest_rule decode_flags(const struct value *v)
{
    uint32_t flags = 0;

    for (size_t at = 0; at < v->len;) {
        size_t len = strnlen(v->bytes + at, v->len - at);
        uint32_t flag;

        if (at + len == v->len) {
            return MANIFEST_E_VALUE_TYPE;
        }
        if (!manifest_word_find(v->f, v->bytes + at, len, &flag)) {
            return MANIFEST_E_VALUE_WORD;
        }
        flags |= flag;
        at += len + 1;
    }
    store_u32(v, flags);
    return MANIFEST_OK;
}

static enum manifest_rule decode_targets(const struct value *v)
{
    uint32_t mask = 0;

    if (v->len % 4 != 0) {
        return MANIFEST_E_VALUE_TYPE;
    }
    for (size_t at = 0; at < v->len; at += 4) {
        uint32_t index = load_cell(v->bytes + at);

        if (index >= MANIFEST_DOMAINS_MAX) {
            return MANIFEST_E_VALUE_RANGE;
        }
        mask |= 1u << index;
    }
    store_u32(v, mask);
    return MANIFEST_OK;
}

static enum manifest_rule decode_endpoint(const struct value *v)
{
    struct manifest_end end;

    if (v->len != 8) {
        return MANIFEST_E_VALUE_TYPE;
    }
    end.domain = load_cell(v->bytes);
    end.port = load_cell(v->bytes + 4);
    memcpy(v->to, &end, sizeof(end));
    return MANIFEST_OK;
}

static enum manifest_rule (*const decoders[])(const struct value *v) = {
    [MANIFEST_TEXT] = decode_text,         [MANIFEST_IDENT] = decode_text,
    [MANIFEST_NUMBER] = decode_number,     [MANIFEST_SIZE] = decode_wide,
    [MANIFEST_CPUS] = decode_wide,         [MANIFEST_WORD] = decode_word,
    [MANIFEST_FLAGS] = decode_flags,       [MANIFEST_TARGETS] = decode_targets,
    [MANIFEST_ENDPOINT] = decode_endpoint,
};

int manifest_parser_fail(struct manifest_parser *p, int node,
                         enum manifest_rule rule, int field, const char *detail,
                         size_t len)
{
    struct line l;

    p->err->rule = rule;
    p->err->offset = node;
    p->err->domain = (int16_t)p->domain;
    p->err->item = (int16_t)p->item;
    p->err->field = (int16_t)field;

    line_clear(&l);
    if (node >= 0 &&
        fdt_get_path(p->fdt, node, l.text, (int)sizeof(p->err->path)) == 0) {
        size_t n = strnlen(l.text, sizeof(p->err->path) - 1);
        char raw[sizeof(p->err->path)];

        memcpy(raw, l.text, n);
        line_clear(&l);
        line_add_quoted(&l, raw, n);
        memcpy(p->err->path, l.text, n);
    }
    line_clear(&l);
    if (detail != NULL) {
        line_add_quoted(&l, detail, rv_min(len, sizeof(p->err->detail) - 1));
        memcpy(p->err->detail, l.text, l.len + 1);
    }
    return -RV_EINVAL;
}

/* Shows the value that was refused: a text as it is, a number in decimal. */
static int fail_value(struct manifest_parser *p, int node, int field,
                      enum manifest_rule rule, const struct value *v)
{
    struct line l;

    if (v->f->type == MANIFEST_NUMBER || v->f->type == MANIFEST_SIZE) {
        line_clear(&l);
        if (v->len == 4 || v->len == 8) {
            line_add_number(&l, v->len == 4 ? load_cell(v->bytes)
                                            : load_two_cells(v->bytes));
        }
        return manifest_parser_fail(p, node, rule, field, l.text, l.len);
    }
    if (v->f->type == MANIFEST_TEXT || v->f->type == MANIFEST_IDENT ||
        v->f->type == MANIFEST_WORD) {
        return manifest_parser_fail(p, node, rule, field, v->bytes,
                                    strnlen(v->bytes, v->len));
    }
    return manifest_parser_fail(p, node, rule, field, NULL, 0);
}

int manifest_decode(struct manifest_parser *p, int node, int field,
                    const void *value, size_t len, void *base)
{
    const struct manifest_field_info *f = manifest_field_lookup(field);
    struct value v = {
        .f = f,
        .bytes = value,
        .len = len,
        .to = (char *)base + f->offset,
    };
    enum manifest_rule rule = decoders[f->type](&v);

    return rule == MANIFEST_OK ? 0 : fail_value(p, node, field, rule, &v);
}
