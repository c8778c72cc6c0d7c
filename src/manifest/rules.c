/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules as data, and how a mistake is told. Details come from the blob and
 * are reduced to printable ASCII before they get here, so that a manifest can
 * not write control sequences into the boot log.
 */
#include "ravelin/manifest.h"

#include "line.h"

static const struct manifest_rule_info rules[] = {
#define MANIFEST_RULE(number, name, severity, text, fix) \
    {number, MANIFEST_##severity, text, fix},
#include "ravelin/manifest_rules.def"
#undef MANIFEST_RULE
};

const struct manifest_rule_info *manifest_rule_at(size_t i)
{
    return i < ARRAY_SIZE(rules) ? &rules[i] : NULL;
}

const struct manifest_rule_info *manifest_rule_lookup(enum manifest_rule rule)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].number == (uint32_t)rule) {
            return &rules[i];
        }
    }
    return NULL;
}

static void add_rule_number(struct line *l, unsigned int number)
{
    line_add(l, number < 10 ? "M00" : number < 100 ? "M0" : "M");
    line_add_number(l, number);
}

static void add_place(struct line *l, const struct manifest_error *err)
{
    const struct manifest_field_info *f = manifest_field_lookup(err->field);

    if (err->path[0] != '\0') {
        line_add(l, " ");
        line_add(l, err->path);
    }
    if (err->offset >= 0) {
        line_add(l, " (offset ");
        line_add_number(l, (uint64_t)err->offset);
        line_add(l, ")");
    }
    if (f != NULL) {
        line_add(l, " ");
        line_add(l, f->key);
    }
    line_add(l, ": ");
}

void manifest_error_print(const struct manifest_error *err,
                          manifest_line_fn line, void *ctx)
{
    const struct manifest_rule_info *rule = manifest_rule_lookup(err->rule);
    struct line l;

    if (rule == NULL) {
        return;
    }
    line_clear(&l);
    line_add(&l, rule->severity == MANIFEST_WARNING ? "warning " : "error ");
    add_rule_number(&l, rule->number);
    add_place(&l, err);
    line_add(&l, rule->text);
    if (err->detail[0] != '\0') {
        line_add(&l, ": ");
        line_add(&l, err->detail);
    }
    line(ctx, l.text);

    line_clear(&l);
    line_add(&l, "  fix: ");
    line_add(&l, rule->fix);
    line(ctx, l.text);
}
