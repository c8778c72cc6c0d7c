/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a compiled manifest. The blob comes from a boot module and is taken for
 * hostile: libfdt's full structural check runs first, every property is then
 * decoded by its row of the schema, and whatever the schema does not know is
 * refused, because a setting that is silently ignored may be a restriction.
 * Ref: Devicetree Specification 0.4, "Flattened Devicetree (DTB) Format".
 */
#include <libfdt.h>

#include "ravelin/errno.h"
#include "ravelin/manifest.h"
#include "ravelin/string.h"

#include "decode.h"
#include "line.h"

/* Magic to size_dt_struct: the header of version 17. */
#define BLOB_HEADER_SIZE 40u
#define BLOB_VERSION 17u

static int fail_rule(struct manifest_parser *p, int node,
                     enum manifest_rule rule, const char *detail)
{
    return manifest_parser_fail(p, node, rule, MANIFEST_NOWHERE, detail,
                                detail == NULL ? 0 : strlen(detail));
}

static uint64_t word_align(uint64_t n)
{
    return (n + 3) & ~3ul;
}

/* Bytes of the element behind a tag, rounded up to whole words; more than
 * `room` if it does not end there. */
static uint64_t element_size(const uint8_t *at, uint32_t tag, uint32_t room)
{
    switch (tag) {
    case FDT_BEGIN_NODE:
        return word_align(strnlen((const char *)at, room) + 1ul);
    case FDT_PROP:
        return room < 8 ? 8 : 8 + word_align(fdt32_ld((const void *)at));
    case FDT_END_NODE:
    case FDT_NOP:
        return 0;
    default:
        return (uint64_t)room + 1;
    }
}

/* One walk in which every step goes forward. The library (1.6.1) adds a
 * property's length to its offset in 32 bits and can go round for ever. */
static bool structure_has_an_end(const void *fdt, size_t len)
{
    uint32_t start = fdt_off_dt_struct(fdt);
    uint32_t left = fdt_size_dt_struct(fdt);
    const uint8_t *at = (const uint8_t *)fdt + start;

    if (start % 4 != 0 || start > len || left > len - start) {
        return false;
    }
    while (left >= 4) {
        uint32_t tag = fdt32_ld((const void *)at);
        uint64_t size;

        if (tag == FDT_END) {
            return true;
        }
        at += 4;
        left -= 4;
        size = element_size(at, tag, left);
        if (size > left) {
            return false;
        }
        at += size;
        left -= (uint32_t)size;
    }
    return false;
}

static int check_blob(struct manifest_parser *p, size_t len)
{
    if (((uintptr_t)p->fdt & 7) != 0 || len < BLOB_HEADER_SIZE ||
        fdt_magic(p->fdt) != FDT_MAGIC || fdt_version(p->fdt) != BLOB_VERSION ||
        fdt_last_comp_version(p->fdt) > BLOB_VERSION) {
        return fail_rule(p, MANIFEST_NOWHERE, MANIFEST_E_BLOB_HEADER, NULL);
    }
    if (!structure_has_an_end(p->fdt, len) ||
        fdt_check_full(p->fdt, len) != 0) {
        return fail_rule(p, MANIFEST_NOWHERE, MANIFEST_E_BLOB_STRUCTURE, NULL);
    }
    return 0;
}

static int check_format(struct manifest_parser *p)
{
    const char *key = NULL;
    const char *text;
    int prop, len;

    fdt_for_each_property_offset(prop, p->fdt, 0)
    {
        text = fdt_getprop_by_offset(p->fdt, prop, &key, &len);
        if (text == NULL || strcmp(key, "compatible") != 0) {
            return fail_rule(p, 0, MANIFEST_E_KEY_UNKNOWN, key);
        }
    }
    text = fdt_getprop(p->fdt, 0, "compatible", &len);
    if (text == NULL || len != (int)sizeof(MANIFEST_COMPATIBLE) ||
        memcmp(text, MANIFEST_COMPATIBLE, sizeof(MANIFEST_COMPATIBLE)) != 0) {
        return fail_rule(p, 0, MANIFEST_E_BLOB_FORMAT, NULL);
    }
    return 0;
}

/* Decodes the properties of one node; every key at most once. */
static int parse_settings(struct manifest_parser *p, int node,
                          enum manifest_scope scope, void *base)
{
    uint64_t seen = 0;
    const char *key = NULL;
    const void *value;
    int prop, len, field, rc;

    fdt_for_each_property_offset(prop, p->fdt, node)
    {
        value = fdt_getprop_by_offset(p->fdt, prop, &key, &len);
        if (value == NULL || len < 0) {
            return fail_rule(p, node, MANIFEST_E_BLOB_STRUCTURE, NULL);
        }
        field = manifest_field_find(scope, key, strlen(key));
        if (field < 0) {
            return fail_rule(p, node, MANIFEST_E_KEY_UNKNOWN, key);
        }
        if ((seen & (1ull << field)) != 0) {
            return fail_rule(p, node, MANIFEST_E_KEY_REPEATED, key);
        }
        seen |= 1ull << field;
        rc = manifest_decode(p, node, field, value, (size_t)len, base);
        if (rc != 0) {
            return rc;
        }
    }
    for (field = 0; field < MANIFEST_FIELD_COUNT; field++) {
        const struct manifest_field_info *f = manifest_field_lookup(field);

        if (f->scope == scope && f->required && (seen & (1ull << field)) == 0) {
            return fail_rule(p, node, MANIFEST_E_KEY_MISSING, f->key);
        }
    }
    return 0;
}

static_assert(MANIFEST_FIELD_COUNT <= 64, "one bit per field in 'seen'");

/* A leaf has settings and no children. */
static int parse_leaf(struct manifest_parser *p, int node,
                      enum manifest_scope scope, void *base)
{
    int child = fdt_first_subnode(p->fdt, node);

    if (child >= 0) {
        return fail_rule(p, child, MANIFEST_E_NODE_UNKNOWN,
                         fdt_get_name(p->fdt, child, NULL));
    }
    return parse_settings(p, node, scope, base);
}

/* True if the node is called "<stem>@<index in decimal>". */
static bool has_indexed_name(const void *fdt, int node, const char *stem,
                             uint32_t index)
{
    const char *name = fdt_get_name(fdt, node, NULL);
    struct line want;

    line_clear(&want);
    line_add(&want, stem);
    line_add(&want, "@");
    line_add_number(&want, index);
    return name != NULL && strcmp(name, want.text) == 0;
}

static int parse_machine(struct manifest_parser *p, int node)
{
    return parse_leaf(p, node, MANIFEST_IN_MACHINE, &p->m->machine);
}

static int parse_domains(struct manifest_parser *p, int node)
{
    int child, rc;

    if (fdt_first_property_offset(p->fdt, node) >= 0) {
        return fail_rule(p, node, MANIFEST_E_KEY_UNKNOWN, NULL);
    }
    fdt_for_each_subnode(child, p->fdt, node)
    {
        uint32_t i = p->m->domain_count;

        if (i == MANIFEST_DOMAINS_MAX) {
            return fail_rule(p, child, MANIFEST_E_DOMAIN_COUNT, NULL);
        }
        if (!has_indexed_name(p->fdt, child, "domain", i)) {
            return fail_rule(p, child, MANIFEST_E_NODE_ORDER,
                             fdt_get_name(p->fdt, child, NULL));
        }
        p->domain = (int)i;
        manifest_domain_init(&p->m->domain[i]);
        rc = parse_leaf(p, child, MANIFEST_IN_DOMAIN, &p->m->domain[i]);
        if (rc != 0) {
            return rc;
        }
        p->m->domain_count++;
    }
    p->domain = MANIFEST_NOWHERE;
    return 0;
}

static int parse_v4v(struct manifest_parser *p, int node)
{
    int child;
    int rc = parse_settings(p, node, MANIFEST_IN_V4V, &p->m->machine);

    if (rc != 0) {
        return rc;
    }
    fdt_for_each_subnode(child, p->fdt, node)
    {
        uint32_t i = p->m->rule_count;

        if (i == MANIFEST_RULES_MAX) {
            return fail_rule(p, child, MANIFEST_E_RULE_COUNT, NULL);
        }
        if (!has_indexed_name(p->fdt, child, "rule", i)) {
            return fail_rule(p, child, MANIFEST_E_NODE_ORDER,
                             fdt_get_name(p->fdt, child, NULL));
        }
        p->item = (int)i;
        rc = parse_leaf(p, child, MANIFEST_IN_RULE, &p->m->rule[i]);
        if (rc != 0) {
            return rc;
        }
        p->m->rule_count++;
    }
    p->item = MANIFEST_NOWHERE;
    return 0;
}

static const struct section {
    const char *name;
    int (*parse)(struct manifest_parser *p, int node);
} sections[] = {
    {"machine", parse_machine},
    {"domains", parse_domains},
    {"v4v", parse_v4v},
};

static int parse_section(struct manifest_parser *p, int node, uint32_t *seen)
{
    const char *name = fdt_get_name(p->fdt, node, NULL);

    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(sections); i++) {
        if (strcmp(name, sections[i].name) != 0) {
            continue;
        }
        if ((*seen & (1u << i)) != 0) {
            return fail_rule(p, node, MANIFEST_E_NODE_ORDER, name);
        }
        *seen |= 1u << i;
        return sections[i].parse(p, node);
    }
    return fail_rule(p, node, MANIFEST_E_NODE_UNKNOWN, name);
}

static int parse_root(struct manifest_parser *p)
{
    uint32_t seen = 0;
    int node, rc;

    rc = check_format(p);
    if (rc != 0) {
        return rc;
    }
    fdt_for_each_subnode(node, p->fdt, 0)
    {
        rc = parse_section(p, node, &seen);
        if (rc != 0) {
            return rc;
        }
    }
    if (p->m->domain_count == 0) {
        return fail_rule(p, 0, MANIFEST_E_DOMAIN_COUNT, NULL);
    }
    return 0;
}

int manifest_parse(const void *fdt, size_t len, struct manifest *out,
                   struct manifest_error *err)
{
    struct manifest_parser p = {
        .fdt = fdt,
        .m = out,
        .err = err,
        .domain = MANIFEST_NOWHERE,
        .item = MANIFEST_NOWHERE,
    };
    int rc;

    memset(err, 0, sizeof(*err));
    err->offset = MANIFEST_NOWHERE;
    err->domain = err->field = err->item = MANIFEST_NOWHERE;
    manifest_init(out);

    rc = check_blob(&p, len);
    if (rc == 0) {
        rc = parse_root(&p);
    }
    if (rc == 0) {
        manifest_assign_domids(out);
    }
    return rc;
}
