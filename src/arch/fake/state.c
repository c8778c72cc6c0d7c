/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register and event state of fake vCPUs: plain stores and loads, so that a
 * test sees exactly what policy asked for.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "fake_internal.h"
#include "ravelin/domain.h"

#define RFLAGS_IF 0x200UL
#define EFER_LMA (1UL << 10)

struct fake_vcpu *fake_vcpu(const struct vcpu *v)
{
    return v->arch;
}

void fake_segment_get(const struct vcpu *v, enum seg_index i,
                      struct vcpu_segment *out)
{
    *out = fake_vcpu(v)->seg[i];
}

void fake_segment_set(struct vcpu *v, enum seg_index i,
                      const struct vcpu_segment *in)
{
    fake_vcpu(v)->seg[i] = *in;
}

uint64_t fake_creg_get(const struct vcpu *v, enum vcpu_creg r)
{
    return fake_vcpu(v)->creg[r];
}

void fake_paging_refresh(struct vcpu *v)
{
    const struct fake_vcpu *fv = fake_vcpu(v);

    v->paging.cr0 = fv->creg[CREG_CR0];
    v->paging.cr3 = fv->creg[CREG_CR3];
    v->paging.cr4 = fv->creg[CREG_CR4];
    v->paging.efer = fv->creg[CREG_EFER];
}

void fake_creg_set(struct vcpu *v, enum vcpu_creg r, uint64_t value)
{
    fake_vcpu(v)->creg[r] = value;
    fake_paging_refresh(v);
}

/* As the processor decides it: 64-bit code needs both. */
unsigned fake_code_bits_get(const struct vcpu *v)
{
    const struct fake_vcpu *fv = fake_vcpu(v);
    uint16_t attr = fv->seg[SEG_CS].attr;

    if ((attr & SEG_ATTR_L) && (fv->creg[CREG_EFER] & (1UL << 10))) { /* LMA */
        return 64;
    }
    return attr & SEG_ATTR_DB ? 32 : 16;
}

/* There is no hardware to have described an exit. */
void fake_exit_raw_get(const struct vcpu *v rv_unused, uint64_t raw[3])
{
    raw[0] = raw[1] = raw[2] = 0;
}

unsigned fake_cpl_get(const struct vcpu *v)
{
    return fake_vcpu(v)->cpl;
}

/* A backend has room for one event; queueing two is a mistake of policy. */
void fake_event_inject(struct vcpu *v, const struct vcpu_event *ev)
{
    struct fake_vcpu *fv = fake_vcpu(v);

    if (fv->event.valid) {
        fprintf(stderr, "fake backend: event %u queued over event %u\n",
                ev->vector, fv->event.vector);
        abort();
    }
    fv->event = *ev;
    fv->event.valid = true;
}

bool fake_event_take(struct vcpu *v, struct vcpu_event *out)
{
    struct fake_vcpu *fv = fake_vcpu(v);

    *out = fv->event;
    fv->event.valid = false;
    return out->valid;
}

bool fake_event_is_queued(const struct vcpu *v)
{
    return fake_vcpu(v)->event.valid;
}

bool fake_irq_is_open(const struct vcpu *v)
{
    return (v->regs.rflags & RFLAGS_IF) && !fake_vcpu(v)->irq_blocked;
}

bool fake_nmi_is_open(const struct vcpu *v)
{
    return !fake_vcpu(v)->nmi_blocked && !fake_vcpu(v)->irq_blocked;
}

bool fake_shadow_get(const struct vcpu *v)
{
    return fake_vcpu(v)->irq_blocked;
}

void fake_shadow_set(struct vcpu *v)
{
    fake_vcpu(v)->irq_blocked = true;
}

void fake_shadow_clear(struct vcpu *v)
{
    fake_vcpu(v)->irq_blocked = false;
}

unsigned fake_tpr_get(const struct vcpu *v)
{
    return fake_vcpu(v)->tpr;
}

void fake_tpr_set(struct vcpu *v, unsigned tpr)
{
    fake_vcpu(v)->tpr = tpr;
}

void fake_intercepts_set(struct vcpu *v, const struct vcpu_intercepts *in)
{
    fake_vcpu(v)->intercepts = *in;
}

bool fake_bp_is_exception = true;

bool fake_breakpoint_is_exception(void)
{
    return fake_bp_is_exception;
}

void fake_tsc_offset_set(struct vcpu *v, uint64_t offset)
{
    fake_vcpu(v)->tsc_offset = offset;
}

void fake_tlb_flush(struct vcpu *v)
{
    fake_vcpu(v)->flush_count++;
    fake_vcpu(v)->flush_wanted = true;
}

void fake_npt_root_set(struct vcpu *v, mfn_t root)
{
    fake_vcpu(v)->npt_root = root;
    fake_tlb_flush(v);
}

unsigned fake_insn_bytes(const struct vcpu *v, uint8_t out[15])
{
    memcpy(out, fake_vcpu(v)->insn, fake_vcpu(v)->insn_len);
    return fake_vcpu(v)->insn_len;
}

/* Ref: AMD APM Vol 2, 14.1.3 "Processor Initialization State". */
void fake_state_reset(struct vcpu *v)
{
    static const struct vcpu_segment data = {
        .attr = SEG_ATTR_P | SEG_ATTR_S | 3, .limit = 0xffff};
    struct fake_vcpu *fv = fake_vcpu(v);

    for (unsigned i = 0; i <= SEG_GS; i++) {
        fv->seg[i] = data;
    }
    fv->seg[SEG_CS] = (struct vcpu_segment){
        .selector = 0xf000,
        .attr = SEG_ATTR_P | SEG_ATTR_S | 0xb,
        .limit = 0xffff,
        .base = 0xffff0000,
    };
    fv->seg[SEG_LDTR] =
        (struct vcpu_segment){.attr = SEG_ATTR_P | 2, .limit = 0xffff};
    fv->seg[SEG_TR] =
        (struct vcpu_segment){.attr = SEG_ATTR_P | 0xb, .limit = 0xffff};
    fv->seg[SEG_GDTR] = fv->seg[SEG_IDTR] =
        (struct vcpu_segment){.limit = 0xffff};
    memset(fv->creg, 0, sizeof(fv->creg));
    fv->creg[CREG_CR0] = 0x60000010;
    fv->creg[CREG_PAT] = 0x0007040600070406UL;
    fv->creg[CREG_DR6] = 0xffff0ff0;
    fv->creg[CREG_DR7] = 0x400;
    fv->creg[CREG_XCR0] = 1;
    fake_paging_refresh(v);
    fv->cpl = 0;
    fv->tpr = 0;
    fv->event.valid = false;
    fv->irq_blocked = false;
    fv->nmi_blocked = false;
    memset(&v->regs, 0, sizeof(v->regs));
    v->regs.rip = 0xfff0;
    v->regs.rflags = 2;
    fv->reset_count++;
}
