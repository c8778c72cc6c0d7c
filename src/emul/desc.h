/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment descriptors as snapshots: read once, checked, then used. All error
 * codes of the far transfers are raised through here.
 * Threat surface: the tables are guest memory.
 * Ref: AMD APM Vol 2, 4.7 "Legacy Segment Descriptors".
 */
#pragma once

#include "exec.h"

struct desc {
    uint32_t lo;
    uint32_t hi;
    uint64_t lin; /* where it came from */
};

/* System descriptor types. */
#define DT_TSS16 1u
#define DT_LDT 2u
#define DT_TSS16_BUSY 3u
#define DT_CALL16 4u
#define DT_TASK_GATE 5u
#define DT_INT16 6u
#define DT_TRAP16 7u
#define DT_TSS32 9u
#define DT_TSS32_BUSY 11u
#define DT_CALL32 12u
#define DT_INT32 14u
#define DT_TRAP32 15u
#define DT_BUSY 2u  /* the bit that tells busy from available */
#define DT_32BIT 8u /* set in the 32-bit variant of TSS and gates */

static inline unsigned desc_type(const struct desc *d)
{
    return (d->hi >> 8) & 0xf;
}

static inline unsigned desc_dpl(const struct desc *d)
{
    return (d->hi >> 13) & 3;
}

static inline bool desc_is_present(const struct desc *d)
{
    return d->hi & 0x8000;
}

static inline bool desc_is_system(const struct desc *d)
{
    return !(d->hi & 0x1000);
}

static inline bool desc_is_code(const struct desc *d)
{
    return (d->hi & 0x1800) == 0x1800;
}

static inline bool desc_is_conforming(const struct desc *d)
{
    return (d->hi & 0x1c00) == 0x1c00;
}

static inline bool desc_is_writable(const struct desc *d)
{
    return (d->hi & 0x1a00) == 0x1200;
}

static inline bool desc_is_readable(const struct desc *d)
{
    return (d->hi & 0x1800) == 0x1000 || (d->hi & 0x1a00) == 0x1a00;
}

static inline bool sel_is_null(uint16_t sel)
{
    return (sel & 0xfffc) == 0;
}

/** Limit in bytes. */
uint32_t desc_limit(const struct desc *d);

/** The hidden part of a segment register loaded from `d`. */
struct emul_seg desc_segment(const struct desc *d, uint16_t sel);

/**
 * Reads the descriptor of a non-null selector.
 * @param found  set to false if it lies outside its table.
 * @return EMUL_OK, or why the table could not be read.
 */
int desc_find(struct emul *e, uint16_t sel, struct desc *d, bool *found);

/** As desc_find(), with `vector`(sel) raised if it is outside the table. */
int desc_read(struct emul *e, uint16_t sel, uint8_t vector, struct desc *d);

/** Sets the accessed bit in memory and in *d. */
int desc_mark_accessed(struct emul *e, struct desc *d);

/** Rewrites the type field in memory and in *d. */
int desc_set_type(struct emul *e, struct desc *d, unsigned type);

/**
 * Checks a stack segment for privilege `cpl` and marks it accessed. Errors:
 * `vector`(sel), `vector`(0) for null, #SS(sel) if not present.
 */
int ss_check(struct emul *e, uint16_t sel, unsigned cpl, uint8_t vector,
             struct desc *d);

/** Loads any segment register but CS as MOV does in the current mode. */
int sreg_load(struct emul *e, unsigned sreg, uint16_t sel);
/** As above in protected mode, with `vector` in place of #GP. */
int sreg_load_protected(struct emul *e, unsigned sreg, uint16_t sel,
                        uint8_t vector);
/** Loads a segment register in real or vm86 mode; cannot fail. */
void sreg_load_real(struct emul *e, unsigned sreg, uint16_t sel);
/** Data segments that the outer level `cpl` may not keep become null. */
void sreg_drop_inner(struct emul *e);

/** Loads LDTR; `vector`(sel) if that is no present LDT in the GDT. */
int ldtr_load(struct emul *e, uint16_t sel, uint8_t vector);

/** CS from a checked descriptor, at privilege `cpl`; then the offset. */
int cs_load(struct emul *e, struct desc *d, uint16_t sel, unsigned cpl,
            uint64_t off);

/** Stack pointer of privilege `cpl` from the current TSS. */
int tss_stack(struct emul *e, unsigned cpl, uint16_t *ss, uint64_t *sp);
/** Makes it current: SS, SP and CPL change together. */
int stack_switch(struct emul *e, uint16_t ss, uint64_t sp, unsigned cpl,
                 uint8_t vector);

/** Runs `fn` and takes back every register change if it fails. */
int run_or_restore(struct emul *e, int (*fn)(struct emul *e, void *arg),
                   void *arg);

enum task_source { TASK_JMP, TASK_CALL, TASK_IRET, TASK_INT };

/**
 * Switches to the task of TSS selector `sel`.
 * @param gate_error  selector error code goes with this vector: #GP, or #TS
 *                    for IRET.
 * @param next        where the old task continues.
 */
int task_switch(struct emul *e, uint16_t sel, enum task_source source,
                uint64_t next);
/** The TSS selector of a checked task gate, then the switch. */
int task_gate(struct emul *e, const struct desc *gate, enum task_source source,
              uint64_t next);

/** Delivers one event; no double-fault rules. `next`: return address. */
int event_dispatch(struct emul *e, const struct emul_event *event,
                   uint64_t next);
