/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots, and the engine that tries each rule of a table on one.
 */

#include "ravelin/string.h"
#include "rule.h"

/* clang-format off */
static const struct {
    const char *name;
    unsigned digits;
} fields[XF_COUNT] = {
#define FIELD(symbol, text, width) [XF_##symbol] = {text, width},
#include "ravelin/explain_fields.def"
#undef FIELD
};
/* clang-format on */

static const char segment_names[SEG_COUNT][5] = {
    "ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR", "GDTR", "IDTR",
};

static const struct {
    const char *name;
    unsigned digits;
} parts[EXPLAIN_PART_COUNT] = {
    {"selector", 4},
    {"attributes", 5},
    {"limit", 8},
    {"base", 16},
};

static_assert(XF_COUNT <= 256, "rules hold field numbers in bytes");

void explain_snapshot_init(struct explain_snapshot *s,
                           const struct explain_rules *rules)
{
    memset(s, 0, sizeof(*s));
    s->rules = rules;
}

void explain_value_set(struct explain_snapshot *s, unsigned field, uint64_t v)
{
    s->value[field] = v;
    s->known[field / 64] |= 1UL << (field % 64);
}

void explain_segment_set(struct explain_snapshot *s, enum seg_index seg,
                         uint16_t selector, uint32_t attributes, uint32_t limit,
                         uint64_t base)
{
    explain_value_set(s, XF_SEGMENT(seg, EXPLAIN_SELECTOR), selector);
    explain_value_set(s, XF_SEGMENT(seg, EXPLAIN_ATTR), attributes);
    explain_value_set(s, XF_SEGMENT(seg, EXPLAIN_LIMIT), limit);
    explain_value_set(s, XF_SEGMENT(seg, EXPLAIN_BASE), base);
}

bool explain_is_known(const struct explain_snapshot *s, unsigned field)
{
    return s->known[field / 64] >> (field % 64) & 1;
}

const char *explain_field_name(unsigned field, unsigned *digits)
{
    *digits = fields[field].digits;
    return fields[field].name;
}

const char *explain_segment_name(unsigned seg)
{
    return segment_names[seg];
}

const char *explain_part_name(unsigned p)
{
    return parts[p].name;
}

unsigned explain_part_digits(unsigned p)
{
    return parts[p].digits;
}

/*
 * The width of linear addresses is the processor's, which no dump tells. Where
 * somebody uses five levels it is 57 bits; 48 otherwise.
 */
static bool is_canonical(const struct explain_snapshot *s, uint64_t address)
{
    bool wide = has(s, XF_CR4, CR4_LA57) || has(s, XF_HOST_CR4, CR4_LA57);
    uint64_t top = address >> (wide ? 56 : 47);

    return top == 0 || top == (wide ? 0xffUL : 0x1ffffUL);
}

static bool is_pat(uint64_t pat)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t type = (uint8_t)(pat >> (i * 8));

        if (type > 7 || type == 2 || type == 3) {
            return false;
        }
    }
    return true;
}

static bool inputs_known(const struct explain_snapshot *s,
                         const struct explain_rule *r, unsigned seg)
{
    for (unsigned i = 0; i < EXPLAIN_FIELD_MAX && r->field[i]; i++) {
        if (!explain_is_known(s, r->field[i])) {
            return false;
        }
    }
    for (unsigned p = 0; p < EXPLAIN_PART_COUNT; p++) {
        if ((r->parts >> p & 1) && !explain_is_known(s, XF_SEGMENT(seg, p))) {
            return false;
        }
    }
    return true;
}

static bool is_broken(const struct explain_snapshot *s,
                      const struct explain_rule *r, unsigned seg)
{
    unsigned subject = r->segments
                           ? XF_SEGMENT(seg, (unsigned)__builtin_ctz(r->parts))
                           : r->field[0];
    uint64_t v = s->value[subject];

    if (!inputs_known(s, r, seg) || (r->when && !r->when(s, seg))) {
        return false;
    }
    switch ((enum explain_test)r->test) {
    case EXPLAIN_CLEAR:
        return v & r->mask;
    case EXPLAIN_SET:
        return (v & r->mask) != r->mask;
    case EXPLAIN_NONZERO:
        return v == 0;
    case EXPLAIN_CANONICAL:
        return !is_canonical(s, v);
    case EXPLAIN_PAT:
        return !is_pat(v);
    case EXPLAIN_CUSTOM:
        return r->broken(s, seg);
    }
    return false;
}

/* The segments that break the rule; for other rules bit 0 tells. */
static uint16_t broken_by(const struct explain_snapshot *s,
                          const struct explain_rule *r)
{
    unsigned result = 0;

    if (!r->segments) {
        return is_broken(s, r, 0);
    }
    for (unsigned seg = 0; seg < SEG_COUNT; seg++) {
        if ((r->segments >> seg & 1) && is_broken(s, r, seg)) {
            result |= 1u << seg;
        }
    }
    return (uint16_t)result;
}

unsigned explain_check(const struct explain_snapshot *s,
                       void (*found)(void *ctx,
                                     const struct explain_finding *f),
                       void *ctx)
{
    unsigned count = 0;

    for (unsigned t = 0; t < s->rules->table_count; t++) {
        const struct explain_table *table = s->rules->table[t];

        for (unsigned i = 0; i < table->count; i++) {
            const struct explain_rule *r = &table->rule[i];
            uint16_t by = broken_by(s, r);
            struct explain_finding f = {s, r, r->segments ? by : 0};

            if (by && found) {
                found(ctx, &f);
            }
            count += by != 0;
        }
    }
    return count;
}

const char *explain_cause(const struct explain_finding *f)
{
    const char *special = NULL;

    if (f->rule->cause_find) {
        special = f->rule->cause_find(f->snapshot);
    }
    return special ? special : f->rule->cause;
}
