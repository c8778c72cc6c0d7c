/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of the virtual local APIC: requests, priorities, acceptance and
 * end of interrupt. Requests from other CPUs are one atomic OR; acceptance and
 * EOI touch words that only the vCPU's own CPU writes.
 *
 * Threat surface: vectors and priorities chosen by the guest. Every loop is
 * over the four words of a vector set.
 * Ref: Intel SDM Vol 3 "Advanced Programmable Interrupt Controller (APIC)";
 *      AMD APM Vol 2 chapter 16.
 */
#include "ravelin/vlapic.h"

#include "ravelin/bitmap.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/sched.h"
#include "ravelin/string.h"
#include "ravelin/vioapic.h"

#include "vlapic_private.h"

_Static_assert(sizeof(struct vlapic) <= PAGE_SIZE,
               "one page holds a vCPU's APIC and MSR state");

void vlapic_enabled_update(struct vlapic *vl)
{
    vl->enabled =
        (vl->base & APIC_BASE_EN) != 0 && (vl->svr & APIC_SVR_ENABLE) != 0;
}

void vlapic_registers_reset(struct vlapic *vl)
{
    vlapic_timer_stop(vl);
    vlapic_timer_init(vl);
    for (unsigned i = 0; i < 4; i++) {
        write_once(vl->irr[i], 0);
        write_once(vl->tmr[i], 0);
        vl->isr[i] = 0;
    }
    vl->isr_top = -1;
    write_once(vl->dfr, 0xffffffffu);
    write_once(vl->ldr, vlapic_is_x2apic(vl)
                            ? ((vl->id >> 4) << 16) | (1u << (vl->id & 15u))
                            : 0);
    vl->svr = 0xff;
    vl->esr = 0;
    write_once(vl->esr_pending, 0);
    vl->icr = 0;
    vl->icr2 = 0;
    for (unsigned i = 0; i < APIC_LVT_COUNT; i++) {
        vl->lvt[i] = APIC_LVT_MASKED;
    }
    if (vl->vcpu->domain->legacy != NULL && vl->vcpu->id == 0) {
        /* Firmware finds the way from the 8259 pair open, as on PCs. */
        vl->lvt[APIC_LVT_LINT0 - APIC_LVT_TIMER] = APIC_LVT_EXTINT;
    }
    write_once(vl->tpr, 0);
    hv->tpr_set(vl->vcpu, 0);
    vlapic_enabled_update(vl);
}

void vlapic_reset(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;

    vl->base = APIC_BASE_EN | (v->id == 0 ? APIC_BASE_BSP : 0);
    vlapic_registers_reset(vl);
    msr_state_reset(&vl->msr);

    spin_lock(&vl->lock);
    vl->wait_sipi = v->id != 0;
    vl->start = false;
    v->init_pending = false;
    spin_unlock(&vl->lock);
}

int vlapic_create(struct vcpu *v)
{
    struct vlapic *vl = page_alloc();

    if (vl == NULL) {
        return -RV_ENOMEM;
    }
    vl->vcpu = v;
    v->apic_id = vlapic_id_of(v->id);
    vl->id = v->apic_id;
    spin_init(&vl->lock, LOCK_RANK_VLAPIC);
    vlapic_timer_init(vl);
    v->vlapic = vl;
    vlapic_reset(v);
    return 0;
}

void vlapic_id_set(struct vcpu *v, uint32_t id)
{
    v->apic_id = id;
    v->vlapic->id = id;
    vlapic_reset(v);
}

void vlapic_destroy(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;

    if (vl == NULL) {
        return;
    }
    vlapic_timer_stop(vl);
    v->vlapic = NULL;
    page_free(vl);
}

bool vlapic_is_enabled(const struct vcpu *v)
{
    return v->vlapic->enabled;
}

bool vlapic_is_present(const struct vcpu *v)
{
    return (v->vlapic->base & APIC_BASE_EN) != 0;
}

/* ---- Priorities ---- */

unsigned vlapic_cr8_get(const struct vcpu *v)
{
    return v->vlapic->tpr >> 4;
}

void vlapic_cr8_set(struct vcpu *v, unsigned cr8)
{
    write_once(v->vlapic->tpr, (cr8 & 15u) << 4);
    hv->tpr_set(v, cr8 & 15u);
    v->attention = true;
}

uint32_t vlapic_ppr_read(const struct vlapic *vl)
{
    uint32_t isr = vl->isr_top < 0 ? 0 : (uint32_t)vl->isr_top & 0xf0u;

    return (vl->tpr & 0xf0u) >= isr ? vl->tpr : isr;
}

/* ---- Requests ---- */

void vlapic_irq_set(struct vcpu *v, uint8_t vector, bool level)
{
    struct vlapic *vl = v->vlapic;
    uint64_t bit = 1UL << (vector % 64u);

    if (unlikely(vector < APIC_VECTOR_FIRST)) {
        vlapic_error_raise(vl, APIC_ESR_RECV_ILLEGAL);
        return;
    }
    if (bitmap_test(vl->tmr, vector) != level) {
        if (level) {
            __atomic_fetch_or(&vl->tmr[vector / 64u], bit, __ATOMIC_SEQ_CST);
        } else {
            __atomic_fetch_and(&vl->tmr[vector / 64u], ~bit, __ATOMIC_SEQ_CST);
        }
    }
    if (!bitmap_test_and_set_atomic(vl->irr, vector)) {
        vcpu_notify(v);
    }
}

int vlapic_irq_pending(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;
    int vector = vector_set_highest(vl->irr);

    if (likely(vector < 0) || !vl->enabled) {
        return -1;
    }
    return (uint32_t)vector >> 4 > vlapic_ppr_read(vl) >> 4 ? vector : -1;
}

bool vlapic_irq_is_latched(const struct vcpu *v)
{
    return vector_set_highest(v->vlapic->irr) >= 0;
}

int vlapic_tpr_threshold(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;
    int vector = vector_set_highest(vl->irr);

    if (likely(vector < 0) || !vl->enabled || vl->isr_top >> 4 >= vector >> 4 ||
        vl->tpr >> 4 < (uint32_t)vector >> 4) {
        return -1;
    }
    return (vector >> 4) - 1;
}

void vlapic_irq_accept(struct vcpu *v, uint8_t vector)
{
    struct vlapic *vl = v->vlapic;
    uint64_t bit = 1UL << (vector % 64u);

    __atomic_fetch_and(&vl->irr[vector / 64u], ~bit, __ATOMIC_SEQ_CST);
    vl->isr[vector / 64u] |= bit;
    vl->isr_top = vector;
}

void vlapic_eoi(struct vcpu *v)
{
    struct vlapic *vl = v->vlapic;
    int vector = vl->isr_top;

    if (unlikely(vector < 0)) {
        return;
    }
    bitmap_clear(vl->isr, (unsigned)vector);
    vl->isr_top = (int16_t)vector_set_highest(vl->isr);
    if (unlikely(bitmap_test(vl->tmr, (unsigned)vector))) {
        vioapic_eoi(v->domain, (uint8_t)vector);
    }
}

bool vlapic_extint_is_open(const struct vcpu *v)
{
    const struct vlapic *vl = v->vlapic;
    uint32_t lvt = read_once(vl->lvt[APIC_LVT_LINT0 - APIC_LVT_TIMER]);

    return (vl->base & APIC_BASE_EN) == 0 ||
           (lvt & (APIC_LVT_MASKED | APIC_LVT_MODE)) == APIC_LVT_EXTINT;
}

/* ---- Errors and local vectors ---- */

void vlapic_error_raise(struct vlapic *vl, uint32_t bit)
{
    uint32_t lvt = read_once(vl->lvt[APIC_LVT_ERROR - APIC_LVT_TIMER]);
    uint32_t old = __atomic_fetch_or(&vl->esr_pending, bit, __ATOMIC_SEQ_CST);

    if ((old & bit) != 0 || (lvt & APIC_LVT_MASKED) != 0) {
        return;
    }
    if ((lvt & APIC_LVT_VECTOR) < APIC_VECTOR_FIRST) {
        /* The error interrupt is itself illegal: note it, raise nothing. */
        __atomic_fetch_or(&vl->esr_pending, APIC_ESR_RECV_ILLEGAL,
                          __ATOMIC_SEQ_CST);
        return;
    }
    vlapic_irq_set(vl->vcpu, (uint8_t)(lvt & APIC_LVT_VECTOR), false);
}

void vlapic_lvt_raise(struct vlapic *vl, enum apic_reg reg)
{
    uint32_t lvt = read_once(vl->lvt[reg - APIC_LVT_TIMER]);

    if ((lvt & APIC_LVT_MASKED) == 0) {
        vlapic_irq_set(vl->vcpu, (uint8_t)(lvt & APIC_LVT_VECTOR), false);
    }
}

void vlapic_lint0_raise(struct vcpu *v)
{
    uint32_t lvt = read_once(v->vlapic->lvt[APIC_LVT_LINT0 - APIC_LVT_TIMER]);

    if ((lvt & APIC_LVT_MODE) == 0) {
        vlapic_lvt_raise(v->vlapic, APIC_LVT_LINT0);
    }
}
