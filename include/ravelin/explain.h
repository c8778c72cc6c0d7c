/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a processor refuses to enter a guest: the consistency checks of VMRUN
 * and of VM entry as tables of rules over a neutral snapshot, each with the
 * place in the manual and the likely cause. No allocation, no state, no CPU:
 * the same code runs after a failed entry and over a dump on another machine.
 *
 * Threat surface: snapshots hold what a guest chose, and dump texts may be
 * forged. Both are only compared and printed.
 */
#pragma once

#include "arch/backend.h"

enum explain_part {
    EXPLAIN_SELECTOR,
    EXPLAIN_ATTR,
    EXPLAIN_LIMIT,
    EXPLAIN_BASE,
    EXPLAIN_PART_COUNT
};

/* Fields by number: 0 = none, then the parts of the segment registers, then
 * explain_fields.def. */
#define XF_SEGMENT(seg, part) (1u + (seg)*EXPLAIN_PART_COUNT + (part))
enum explain_field {
    XF_NONE = 0,
    XF_SEGMENT_LAST = SEG_COUNT * EXPLAIN_PART_COUNT,
#define FIELD(symbol, name, digits) XF_##symbol,
#include "ravelin/explain_fields.def"
#undef FIELD
    XF_COUNT
};

/*
 * State at an entry. Values are raw, as the hardware structure holds them:
 * segment attributes have the layout of the vendor (VMX: access rights with
 * bit 16 = unusable; SVM: bits 8-11 = AVL, L, D/B, G). What is not known takes
 * part in no rule.
 */
struct explain_snapshot {
    const struct explain_rules *rules;
    uint64_t known[(XF_COUNT + 63) / 64];
    uint64_t value[XF_COUNT];
};

enum explain_test {
    EXPLAIN_CLEAR,     /* no bit of mask may be set */
    EXPLAIN_SET,       /* all bits of mask must be set */
    EXPLAIN_NONZERO,   /* the value must not be 0 */
    EXPLAIN_CANONICAL, /* the value must be a canonical address */
    EXPLAIN_PAT,       /* eight memory types that exist */
    EXPLAIN_CUSTOM,    /* broken() decides */
};

#define EXPLAIN_FIELD_MAX 5

struct explain_rule {
    const char *id;
    const char *manual; /* manual, section and its title */
    const char *text;   /* the rule */
    const char *cause;  /* the usual reason for breaking it */
    /* The cause seen from this very state; NULL, or returning NULL: `cause`. */
    const char *(*cause_find)(const struct explain_snapshot *s);
    /* Does the rule apply? NULL: always. */
    bool (*when)(const struct explain_snapshot *s, unsigned seg);
    bool (*broken)(const struct explain_snapshot *s, unsigned seg);
    uint64_t mask;
    /* Segments it is asked about (bit per enum seg_index; 0: not about
     * segments) and the parts it reads (bit per enum explain_part). */
    uint16_t segments;
    uint8_t parts;
    uint8_t test; /* enum explain_test, of the lowest part or of field[0] */
    /* What it reads besides; all must be known. */
    uint8_t field[EXPLAIN_FIELD_MAX];
};

struct explain_table {
    const struct explain_rule *rule;
    unsigned count;
};

/* All rules of one vendor. */
struct explain_rules {
    const char *name;
    unsigned table_count;
    const struct explain_table *table[6];
};

/* VMRUN of AMD, VM entry of Intel. */
extern const struct explain_rules explain_svm;
extern const struct explain_rules explain_vmx;

struct explain_finding {
    const struct explain_snapshot *snapshot;
    const struct explain_rule *rule;
    uint16_t segments; /* those that break it; 0: not about segments */
};

/** Makes `s` empty: nothing known, judged by `rules`. */
void explain_snapshot_init(struct explain_snapshot *s,
                           const struct explain_rules *rules);
/** Sets a field (< XF_COUNT, not XF_NONE) and marks it as known. */
void explain_value_set(struct explain_snapshot *s, unsigned field,
                       uint64_t value);
/** Sets all four parts of a segment register. */
void explain_segment_set(struct explain_snapshot *s, enum seg_index seg,
                         uint16_t selector, uint32_t attr, uint32_t limit,
                         uint64_t base);
bool explain_is_known(const struct explain_snapshot *s, unsigned field);
/** Name of a field that is not part of a segment; hex digits in *digits. */
const char *explain_field_name(unsigned field, unsigned *digits);
const char *explain_segment_name(unsigned seg);
const char *explain_part_name(unsigned part);
/** Hex digits of a part of a segment. */
unsigned explain_part_digits(unsigned part);

/**
 * Tries every rule of s->rules on `s`.
 *
 * @param found  called once per broken rule; NULL: only count.
 * @return how many rules are broken.
 */
unsigned explain_check(const struct explain_snapshot *s,
                       void (*found)(void *ctx,
                                     const struct explain_finding *f),
                       void *ctx);

/** The likely cause of a finding. */
const char *explain_cause(const struct explain_finding *f);

/* Where rendered text goes, line by line without newline. Zero `last_cause`
 * before the first finding; a cause equal to the one before is not repeated. */
struct explain_text {
    void (*line)(void *ctx, const char *text);
    void *ctx;
    const char *last_cause;
};

/** Renders one finding as indented lines of at most 79 characters. */
void explain_text_finding(struct explain_text *to,
                          const struct explain_finding *f);

/**
 * Finds the next dump in a text: the "VMCS Area" of Xen or our own VMCB dump,
 * mail quoting, log prefixes and broken lines notwithstanding. Time is linear
 * in what is read.
 *
 * @param pos  in: where to start; out: behind the dump.
 * @return false if there is none; *s is undefined then.
 */
bool explain_parse_next(const char *text, size_t size, size_t *pos,
                        struct explain_snapshot *s);
