/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the blob that the hypervisor parses: a flattened device tree in which
 * every setting is spelled out, defaults included, in the order of the schema.
 */
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Enough for 32 full domains and 128 rules. */
#define BLOB_ROOM (256u << 10)

static int put_flags(void *fdt, const struct manifest_field_info *f,
                     uint32_t flags)
{
    char list[160];
    size_t len = 0;

    for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
        if ((flags & w->value) != 0) {
            memcpy(list + len, w->word, strlen(w->word) + 1);
            len += strlen(w->word) + 1;
        }
    }
    return fdt_property(fdt, f->key, list, (int)len);
}

static int put_targets(void *fdt, const char *key, uint32_t mask)
{
    fdt32_t cells[MANIFEST_DOMAINS_MAX];
    int n = 0;

    for (uint32_t i = 0; i < MANIFEST_DOMAINS_MAX; i++) {
        if ((mask & (1u << i)) != 0) {
            cells[n++] = cpu_to_fdt32(i);
        }
    }
    return fdt_property(fdt, key, cells, n * (int)sizeof(cells[0]));
}

static int put_endpoint(void *fdt, const char *key, struct manifest_end end)
{
    fdt32_t cells[2] = {cpu_to_fdt32(end.domain), cpu_to_fdt32(end.port)};

    return fdt_property(fdt, key, cells, sizeof(cells));
}

static int put_setting(void *fdt, const struct manifest_field_info *f,
                       const char *member)
{
    struct manifest_end end;
    uint64_t wide;
    uint32_t number;

    switch ((enum manifest_type)f->type) {
    case MANIFEST_TEXT:
    case MANIFEST_IDENT:
        /* An optional text that is not given has no property. */
        return member[0] == '\0' ? 0 : fdt_property_string(fdt, f->key, member);
    case MANIFEST_SIZE:
    case MANIFEST_CPUS:
        memcpy(&wide, member, sizeof(wide));
        return fdt_property_u64(fdt, f->key, wide);
    case MANIFEST_ENDPOINT:
        memcpy(&end, member, sizeof(end));
        return put_endpoint(fdt, f->key, end);
    default:
        break;
    }
    memcpy(&number, member, sizeof(number));
    switch ((enum manifest_type)f->type) {
    case MANIFEST_WORD:
        return fdt_property_string(fdt, f->key, manifest_word_of(f, number));
    case MANIFEST_FLAGS:
        return put_flags(fdt, f, number);
    case MANIFEST_TARGETS:
        return put_targets(fdt, f->key, number);
    default:
        return fdt_property_u32(fdt, f->key, number);
    }
}

static int put_settings(void *fdt, enum manifest_scope scope, const void *base)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < MANIFEST_FIELD_COUNT; i++) {
        const struct manifest_field_info *f = manifest_field_lookup(i);

        if (f->scope == scope) {
            rc = put_setting(fdt, f, (const char *)base + f->offset);
        }
    }
    return rc;
}

static int put_node(void *fdt, const char *stem, uint32_t index,
                    enum manifest_scope scope, const void *base)
{
    char *name = xprintf("%s@%u", stem, index);
    int rc = fdt_begin_node(fdt, name);

    free(name);
    if (rc == 0) {
        rc = put_settings(fdt, scope, base);
    }
    return rc != 0 ? rc : fdt_end_node(fdt);
}

static int put_domains(void *fdt, const struct manifest *m)
{
    int rc = fdt_begin_node(fdt, "domains");

    for (uint32_t i = 0; rc == 0 && i < m->domain_count; i++) {
        rc = put_node(fdt, "domain", i, MANIFEST_IN_DOMAIN, &m->domain[i]);
    }
    return rc != 0 ? rc : fdt_end_node(fdt);
}

static int put_v4v(void *fdt, const struct manifest *m)
{
    int rc = fdt_begin_node(fdt, "v4v");

    if (rc == 0) {
        rc = put_settings(fdt, MANIFEST_IN_V4V, &m->machine);
    }
    for (uint32_t i = 0; rc == 0 && i < m->rule_count; i++) {
        rc = put_node(fdt, "rule", i, MANIFEST_IN_RULE, &m->rule[i]);
    }
    return rc != 0 ? rc : fdt_end_node(fdt);
}

static int put_all(void *fdt, const struct manifest *m)
{
    int rc = fdt_create(fdt, (int)BLOB_ROOM);

    rc = rc != 0 ? rc : fdt_finish_reservemap(fdt);
    rc = rc != 0 ? rc : fdt_begin_node(fdt, "");
    rc = rc != 0 ? rc
                 : fdt_property_string(fdt, "compatible", MANIFEST_COMPATIBLE);
    rc = rc != 0 ? rc : fdt_begin_node(fdt, "machine");
    rc = rc != 0 ? rc : put_settings(fdt, MANIFEST_IN_MACHINE, &m->machine);
    rc = rc != 0 ? rc : fdt_end_node(fdt);
    rc = rc != 0 ? rc : put_domains(fdt, m);
    rc = rc != 0 ? rc : put_v4v(fdt, m);
    rc = rc != 0 ? rc : fdt_end_node(fdt);
    return rc != 0 ? rc : fdt_finish(fdt);
}

bool text_compile(const struct manifest *m, struct blob *out)
{
    out->data = xalloc(BLOB_ROOM);
    if (put_all(out->data, m) != 0) {
        blob_free(out);
        return false;
    }
    out->len = fdt_totalsize(out->data);
    return true;
}
