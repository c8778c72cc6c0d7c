/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the fake backend share among themselves.
 */
#pragma once

#include "arch/backend.h"
#include "ravelin/types.h"

/* fetch.c: bookkeeping for RAM of this size; gone before the RAM is. */
void fake_fetch_attach(size_t ram_bytes);
void fake_fetch_detach(void);

/* npt.c */
uint64_t fake_npt_encode(const struct npt_entry *e, unsigned level);
void fake_npt_decode(uint64_t raw, unsigned level, struct npt_entry *e);
unsigned fake_npt_leaf_level_max(void);

/* state.c */
/** Brings v->paging in step after creg[] was written directly. */
void fake_paging_refresh(struct vcpu *v);
void fake_state_reset(struct vcpu *v);
void fake_segment_get(const struct vcpu *v, enum seg_index i,
                      struct vcpu_segment *out);
void fake_segment_set(struct vcpu *v, enum seg_index i,
                      const struct vcpu_segment *in);
uint64_t fake_creg_get(const struct vcpu *v, enum vcpu_creg r);
unsigned fake_code_bits_get(const struct vcpu *v);
void fake_exit_raw_get(const struct vcpu *v, uint64_t raw[3]);
void fake_creg_set(struct vcpu *v, enum vcpu_creg r, uint64_t value);
void fake_explain(const struct vcpu *v, struct explain_snapshot *s);
unsigned fake_cpl_get(const struct vcpu *v);
void fake_event_inject(struct vcpu *v, const struct vcpu_event *ev);
bool fake_event_take(struct vcpu *v, struct vcpu_event *out);
bool fake_event_is_queued(const struct vcpu *v);
bool fake_irq_is_open(const struct vcpu *v);
bool fake_nmi_is_open(const struct vcpu *v);
bool fake_shadow_get(const struct vcpu *v);
void fake_shadow_set(struct vcpu *v);
void fake_shadow_clear(struct vcpu *v);
unsigned fake_tpr_get(const struct vcpu *v);
void fake_tpr_set(struct vcpu *v, unsigned tpr);
void fake_intercepts_set(struct vcpu *v, const struct vcpu_intercepts *in);
bool fake_breakpoint_is_exception(void);
void fake_tsc_offset_set(struct vcpu *v, uint64_t offset);
void fake_tlb_flush(struct vcpu *v);
void fake_npt_root_set(struct vcpu *v, mfn_t root);
unsigned fake_insn_bytes(const struct vcpu *v, uint8_t out[15]);

/* passthrough.c */
void fake_msr_passthrough(struct vcpu *v, uint32_t msr, bool read, bool write);
void fake_msr_forget(const struct vcpu *v);
int fake_io_passthrough(struct domain *d, uint16_t first, uint16_t count,
                        bool allow);
void fake_bitmaps_destroy(struct domain *d);
