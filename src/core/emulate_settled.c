/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a vCPU that has just set CR0.PE in a state of protected mode, or does it
 * still have segments of real mode that a processor may refuse to be entered
 * with? Boot code is in between for a few instructions.
 *
 * Threat surface: none; a wrong answer costs the guest a few emulated
 * instructions, or the processor's own check.
 * Ref: Intel SDM Vol 3C, "Checks on Guest Segment Registers".
 */
#include "emulate.h"

#define TYPE_ACCESSED 0x1u
#define TYPE_WRITABLE 0x2u /* of code: readable */
#define TYPE_CODE 0x8u
#define ATTR_S 0x10u

static unsigned dpl_of(const struct emul_seg *s)
{
    return (s->attr >> EMUL_ATTR_DPL_SHIFT) & 3;
}

static unsigned rpl_of(const struct emul_seg *s)
{
    return s->sel & 3u;
}

/* The limit as a descriptor with this granularity would give it. */
static bool limit_is_possible(const struct emul_seg *s)
{
    bool is_large = (s->attr & EMUL_ATTR_G) != 0;

    return is_large ? (s->limit & 0xfff) == 0xfff : s->limit <= 0xfffff;
}

static bool is_segment(const struct emul_seg *s)
{
    return (s->attr & (EMUL_ATTR_P | ATTR_S | TYPE_ACCESSED)) ==
               (EMUL_ATTR_P | ATTR_S | TYPE_ACCESSED) &&
           limit_is_possible(s);
}

static bool code_is_settled(const struct emul_cpu *cpu)
{
    const struct emul_seg *cs = &cpu->seg[EMUL_CS];

    return is_segment(cs) && (cs->attr & TYPE_CODE) != 0 &&
           rpl_of(cs) == cpu->cpl;
}

static bool stack_is_settled(const struct emul_cpu *cpu)
{
    const struct emul_seg *ss = &cpu->seg[EMUL_SS];

    return is_segment(ss) &&
           (ss->attr & (TYPE_CODE | TYPE_WRITABLE)) == TYPE_WRITABLE &&
           rpl_of(ss) == cpu->cpl && dpl_of(ss) == cpu->cpl;
}

static bool data_is_settled(const struct emul_seg *s)
{
    if ((s->attr & EMUL_ATTR_P) == 0) {
        return true; /* unusable */
    }
    return is_segment(s) &&
           ((s->attr & TYPE_CODE) == 0 || (s->attr & TYPE_WRITABLE) != 0) &&
           dpl_of(s) >= rpl_of(s);
}

bool emulate_is_settled(const struct emul_cpu *cpu)
{
    return code_is_settled(cpu) && stack_is_settled(cpu) &&
           data_is_settled(&cpu->seg[EMUL_DS]) &&
           data_is_settled(&cpu->seg[EMUL_ES]) &&
           data_is_settled(&cpu->seg[EMUL_FS]) &&
           data_is_settled(&cpu->seg[EMUL_GS]);
}
