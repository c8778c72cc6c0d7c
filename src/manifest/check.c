/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a manifest means: rules M1xx that need more than one setting to judge.
 * Runs on the host for whoever writes the manifest, and again at boot, since
 * the blob may have been made by anything. Assumes nothing about values.
 */
#include "check.h"

#include "ravelin/string.h"

#include "line.h"

static void report(struct check *c, struct manifest_error *err,
                   const char *section, const char *entry, uint32_t index,
                   const char *detail)
{
    const struct manifest_rule_info *rule = manifest_rule_lookup(err->rule);
    struct line l;

    if (rule->severity == MANIFEST_ERROR) {
        c->error_count++;
    }
    if (c->report == NULL) {
        return;
    }
    line_clear(&l);
    line_add(&l, section);
    line_add(&l, entry);
    line_add_number(&l, index);
    memcpy(err->path, l.text, rv_min(l.len + 1, sizeof(err->path)));
    line_clear(&l);
    if (detail != NULL) {
        line_add_quoted(&l, detail, strnlen(detail, sizeof(err->detail) - 1));
    }
    memcpy(err->detail, l.text, l.len + 1);
    c->report(c->ctx, err);
}

void check_fail_domain(struct check *c, uint32_t domain,
                       enum manifest_field field, enum manifest_rule rule,
                       const char *detail)
{
    struct manifest_error err = {
        .rule = rule,
        .offset = MANIFEST_NOWHERE,
        .domain = (int16_t)domain,
        .field = (int16_t)field,
        .item = MANIFEST_NOWHERE,
    };

    report(c, &err, "/domains/", "domain@", domain, detail);
}

void check_fail_rule(struct check *c, uint32_t item, enum manifest_field field,
                     enum manifest_rule rule, const char *detail)
{
    struct manifest_error err = {
        .rule = rule,
        .offset = MANIFEST_NOWHERE,
        .domain = MANIFEST_NOWHERE,
        .field = (int16_t)field,
        .item = (int16_t)item,
    };

    report(c, &err, "/v4v/", "rule@", item, detail);
}

static uint64_t load_number(const struct manifest_field_info *f,
                            const struct manifest_domain *d)
{
    uint64_t wide = 0;
    uint32_t narrow = 0;

    if (f->size == sizeof(wide)) {
        memcpy(&wide, (const char *)d + f->offset, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, (const char *)d + f->offset, sizeof(narrow));
    return narrow;
}

static void check_ranges(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];

    for (int field = 0; field < MANIFEST_FIELD_COUNT; field++) {
        const struct manifest_field_info *f = manifest_field_lookup(field);
        enum manifest_rule rule;

        if (f->scope != MANIFEST_IN_DOMAIN ||
            (f->type != MANIFEST_NUMBER && f->type != MANIFEST_SIZE &&
             f->type != MANIFEST_CPUS) ||
            (field == MANIFEST_F_DOMID && d->domid == MANIFEST_DOMID_AUTO)) {
            continue;
        }
        rule = manifest_number_check(f, load_number(f, d));
        if (rule != MANIFEST_OK) {
            check_fail_domain(c, i, (enum manifest_field)field, rule, d->name);
        }
    }
}

static void check_texts(struct check *c, uint32_t i)
{
    static const enum manifest_field texts[] = {
        MANIFEST_F_NAME,     MANIFEST_F_KERNEL,  MANIFEST_F_RAMDISK,
        MANIFEST_F_FIRMWARE, MANIFEST_F_VGABIOS, MANIFEST_F_DISK,
        MANIFEST_F_CDROM,    MANIFEST_F_CMDLINE,
    };
    const struct manifest_domain *d = &c->m->domain[i];

    for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
        const struct manifest_field_info *f = manifest_field_lookup(texts[t]);
        const char *text = (const char *)d + f->offset;
        size_t len = strnlen(text, f->size);
        enum manifest_rule rule = manifest_text_check(f, text, len);

        if (rule != MANIFEST_OK && (len != 0 || f->required)) {
            check_fail_domain(c, i, texts[t], rule, text);
        }
    }
}

static void check_unique(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    bool name_taken = false, domid_taken = false, hardware_taken = false;

    for (uint32_t j = 0; j < i; j++) {
        const struct manifest_domain *e = &c->m->domain[j];

        name_taken |= strcmp(d->name, e->name) == 0;
        domid_taken |= d->domid != MANIFEST_DOMID_AUTO && d->domid == e->domid;
        hardware_taken |= (d->roles & e->roles & ROLE_HARDWARE) != 0;
    }
    if (name_taken) {
        check_fail_domain(c, i, MANIFEST_F_NAME, MANIFEST_E_NAME_TAKEN,
                          d->name);
    }
    if (domid_taken) {
        check_fail_domain(c, i, MANIFEST_F_DOMID, MANIFEST_E_DOMID_TAKEN,
                          d->name);
    }
    if (hardware_taken) {
        check_fail_domain(c, i, MANIFEST_F_ROLES, MANIFEST_E_HARDWARE_TAKEN,
                          d->name);
    }
}

static void check_reserved(struct check *c, uint32_t i)
{
    static const char *const names[] = {
        "any",
        "hypervisor",
        "machine",
        MANIFEST_MODULE,
    };
    const struct manifest_domain *d = &c->m->domain[i];

    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        if (strcmp(d->name, names[n]) == 0) {
            check_fail_domain(c, i, MANIFEST_F_NAME, MANIFEST_E_NAME_RESERVED,
                              d->name);
        }
    }
}

static void check_modules(struct check *c, uint32_t i)
{
    static const enum manifest_field modules[] = {
        MANIFEST_F_KERNEL,  MANIFEST_F_RAMDISK, MANIFEST_F_FIRMWARE,
        MANIFEST_F_VGABIOS, MANIFEST_F_DISK,    MANIFEST_F_CDROM,
    };
    const struct manifest_domain *d = &c->m->domain[i];

    for (size_t n = 0; n < ARRAY_SIZE(modules); n++) {
        const struct manifest_field_info *f = manifest_field_lookup(modules[n]);

        if (strcmp((const char *)d + f->offset, MANIFEST_MODULE) == 0) {
            check_fail_domain(c, i, modules[n], MANIFEST_E_MODULE_RESERVED,
                              d->name);
        }
    }
    if (d->ramdisk[0] != '\0' && strcmp(d->kernel, d->ramdisk) == 0) {
        check_fail_domain(c, i, MANIFEST_F_RAMDISK, MANIFEST_E_MODULE_CLASH,
                          d->ramdisk);
    }
}

static void check_console(struct check *c, uint32_t i)
{
    const struct manifest_domain *d = &c->m->domain[i];
    bool hv_off = c->m->machine.console == MANIFEST_HV_CONSOLE_OFF;

    if (d->console == MANIFEST_CONSOLE_SERIAL) {
        if ((d->roles & ROLE_HARDWARE) == 0) {
            check_fail_domain(c, i, MANIFEST_F_CONSOLE, MANIFEST_E_SERIAL_ROLE,
                              d->name);
        } else if (!hv_off) {
            check_fail_domain(c, i, MANIFEST_F_CONSOLE,
                              MANIFEST_E_SERIAL_SHARED, d->name);
        }
    } else if (d->console != MANIFEST_CONSOLE_NONE && hv_off) {
        check_fail_domain(c, i, MANIFEST_F_CONSOLE, MANIFEST_E_CONSOLE_UNHEARD,
                          d->name);
    }
}

static void check_start(struct check *c, uint32_t i)
{
    if (c->m->domain[i].start == MANIFEST_START_RUNNING) {
        return;
    }
    for (uint32_t j = 0; j < c->m->domain_count; j++) {
        const struct manifest_domain *e = &c->m->domain[j];

        if (j != i && e->start == MANIFEST_START_RUNNING &&
            (e->roles & ROLE_CONTROL) != 0) {
            return;
        }
    }
    check_fail_domain(c, i, MANIFEST_F_START, MANIFEST_E_PAUSED_FOREVER,
                      c->m->domain[i].name);
}

static void check_roles(struct check *c, uint32_t i)
{
    const uint32_t both = ROLE_HARDWARE | ROLE_CONTROL;

    if ((c->m->domain[i].roles & both) == both) {
        check_fail_domain(c, i, MANIFEST_F_ROLES, MANIFEST_E_ROLES_JOINED,
                          c->m->domain[i].name);
    }
}

static void (*const domain_checks[])(struct check *c, uint32_t i) = {
    check_texts,   check_ranges, check_unique, check_reserved, check_modules,
    check_console, check_start,  check_roles,  check_firmware,
};

unsigned int manifest_check(const struct manifest *m,
                            manifest_report_fn report_fn, void *ctx)
{
    struct check c = {.m = m, .report = report_fn, .ctx = ctx};

    for (uint32_t i = 0; i < m->domain_count; i++) {
        for (size_t n = 0; n < ARRAY_SIZE(domain_checks); n++) {
            domain_checks[n](&c, i);
        }
    }
    check_monitors(&c);
    check_firewall(&c);
    return c.error_count;
}
