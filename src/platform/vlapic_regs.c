/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register map of the local APIC: one row per register with its handlers,
 * where it exists, and which bits are reserved. xAPIC ignores reserved bits,
 * x2APIC refuses them; both go through the same rows.
 *
 * Threat surface: register numbers and values from MMIO and WRMSR. A number
 * only ever indexes the table after it has been bounded.
 * Ref: Intel SDM Vol 3 "Local APIC Register Address Map" and "x2APIC Register
 *      Address Space"; AMD APM Vol 2 table "APIC Registers".
 */
#include "ravelin/errno.h"
#include "ravelin/evtchn.h"
#include "ravelin/vlapic.h"

#include "vlapic_private.h"

/* Where a register exists. */
#define X1_R 0x1u /* xAPIC, readable */
#define X1_W 0x2u
#define X2_R 0x4u /* x2APIC, readable */
#define X2_W 0x8u
#define X1_RW (X1_R | X1_W)
#define ALL_R (X1_R | X2_R)
#define ALL_W (X1_W | X2_W)
#define ALL_RW (ALL_R | ALL_W)

struct reg_rule {
    uint8_t where;
    uint32_t writable; /* other bits: ignored in xAPIC, refused in x2APIC */
    uint32_t (*read)(struct vlapic *vl, unsigned reg);
    void (*write)(struct vlapic *vl, unsigned reg, uint32_t value);
    uint32_t read_only; /* status: ignored in both */
};

#define LVT_STATUS (1u << 12)
#define LVT_REMOTE_IRR (1u << 14)

static uint32_t id_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vlapic_is_x2apic(vl) ? vl->id : vl->id << 24;
}

static uint32_t version_read(struct vlapic *vl rv_unused,
                             unsigned reg rv_unused)
{
    return APIC_VERSION_VALUE;
}

static uint32_t zero_read(struct vlapic *vl rv_unused, unsigned reg rv_unused)
{
    return 0;
}

static uint32_t tpr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->tpr;
}

static void tpr_write(struct vlapic *vl, unsigned reg rv_unused, uint32_t value)
{
    write_once(vl->tpr, value);
    hv->tpr_set(vl->vcpu, value >> 4);
    vl->vcpu->attention = true;
}

static uint32_t ppr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vlapic_ppr_read(vl);
}

static void eoi_write(struct vlapic *vl, unsigned reg rv_unused,
                      uint32_t value rv_unused)
{
    vlapic_eoi(vl->vcpu);
}

static uint32_t ldr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->ldr;
}

static void ldr_write(struct vlapic *vl, unsigned reg rv_unused, uint32_t value)
{
    write_once(vl->ldr, value);
}

static uint32_t dfr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->dfr;
}

static void dfr_write(struct vlapic *vl, unsigned reg rv_unused, uint32_t value)
{
    write_once(vl->dfr, value | 0x0fffffffu);
}

static uint32_t svr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->svr;
}

static void svr_write(struct vlapic *vl, unsigned reg rv_unused, uint32_t value)
{
    vl->svr = value;
    vlapic_enabled_update(vl);
    if ((value & APIC_SVR_ENABLE) != 0) {
        evtchn_upcall_apic_enabled(vl->vcpu);
    } else {
        for (unsigned i = 0; i < APIC_LVT_COUNT; i++) {
            write_once(vl->lvt[i], vl->lvt[i] | APIC_LVT_MASKED);
        }
    }
}

static uint32_t set_read(struct vlapic *vl, unsigned reg)
{
    const uint64_t *set = reg < APIC_TMR   ? vl->isr
                          : reg < APIC_IRR ? vl->tmr
                                           : vl->irr;
    unsigned i = reg & 7u;

    return (uint32_t)(read_once(set[i / 2]) >> (32u * (i & 1u)));
}

static uint32_t esr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->esr;
}

/* Any write publishes what was found since the last one, and re-arms. */
static void esr_write(struct vlapic *vl, unsigned reg rv_unused,
                      uint32_t value rv_unused)
{
    vl->esr = __atomic_exchange_n(&vl->esr_pending, 0, __ATOMIC_SEQ_CST);
}

static uint32_t icr_read(struct vlapic *vl, unsigned reg)
{
    return reg == APIC_ICR ? vl->icr : vl->icr2;
}

static void icr_write(struct vlapic *vl, unsigned reg rv_unused, uint32_t value)
{
    vl->icr = value;
    vlapic_icr_send(vl, value, vl->icr2 >> 24);
}

static void icr2_write(struct vlapic *vl, unsigned reg rv_unused,
                       uint32_t value)
{
    vl->icr2 = value;
}

static uint32_t lvt_read(struct vlapic *vl, unsigned reg)
{
    return vl->lvt[reg - APIC_LVT_TIMER];
}

static void lvt_write(struct vlapic *vl, unsigned reg, uint32_t value)
{
    if ((vl->svr & APIC_SVR_ENABLE) == 0) {
        value |= APIC_LVT_MASKED;
    }
    write_once(vl->lvt[reg - APIC_LVT_TIMER], value);
    if (reg == APIC_LVT_TIMER) {
        vlapic_timer_mode_set(vl, (enum apic_timer_mode)(value >> 17 & 3u));
    }
}

static uint32_t tmict_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->timer.initial;
}

static void tmict_write(struct vlapic *vl, unsigned reg rv_unused,
                        uint32_t value)
{
    vlapic_timer_initial_write(vl, value);
}

static uint32_t tmcct_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vlapic_timer_current_read(vl);
}

static uint32_t tdcr_read(struct vlapic *vl, unsigned reg rv_unused)
{
    return vl->timer.divide;
}

static void tdcr_write(struct vlapic *vl, unsigned reg rv_unused,
                       uint32_t value)
{
    vlapic_timer_divide_write(vl, value);
}

static void self_ipi_write(struct vlapic *vl, unsigned reg rv_unused,
                           uint32_t value)
{
    if (value < APIC_VECTOR_FIRST) {
        vlapic_error_raise(vl, APIC_ESR_SEND_ILLEGAL);
        return;
    }
    vlapic_irq_set(vl->vcpu, (uint8_t)value, false);
}

#define SET(r) [(r)...(r) + 7] = {.where = ALL_R, .read = set_read}

static const struct reg_rule rules[APIC_REG_COUNT] = {
    [APIC_ID] = {.where = ALL_R | X1_W, .read = id_read},
    [APIC_VERSION] = {.where = ALL_R, .read = version_read},
    [APIC_TPR] = {ALL_RW, 0xff, tpr_read, tpr_write, 0},
    [APIC_APR] = {.where = X1_R, .read = zero_read},
    [APIC_PPR] = {.where = ALL_R, .read = ppr_read},
    [APIC_EOI] = {ALL_W | X1_R, 0, zero_read, eoi_write, 0},
    [APIC_RRR] = {.where = X1_R, .read = zero_read},
    [APIC_LDR] = {ALL_R | X1_W, 0xff000000u, ldr_read, ldr_write, 0},
    [APIC_DFR] = {X1_RW, 0xf0000000u, dfr_read, dfr_write, 0},
    [APIC_SVR] = {ALL_RW, APIC_SVR_MASK, svr_read, svr_write, 0},
    SET(APIC_ISR),
    SET(APIC_TMR),
    SET(APIC_IRR),
    [APIC_ESR] = {ALL_RW, 0, esr_read, esr_write, 0},
    [APIC_ICR] = {X1_RW, APIC_ICR_MASK, icr_read, icr_write, 0},
    [APIC_ICR2] = {X1_RW, 0xff000000u, icr_read, icr2_write, 0},
    [APIC_LVT_TIMER] = {ALL_RW, 0x000700ffu, lvt_read, lvt_write, LVT_STATUS},
    [APIC_LVT_THERMAL] = {ALL_RW, 0x000107ffu, lvt_read, lvt_write, LVT_STATUS},
    [APIC_LVT_PERF] = {ALL_RW, 0x000107ffu, lvt_read, lvt_write, LVT_STATUS},
    [APIC_LVT_LINT0] = {ALL_RW, 0x0001a7ffu, lvt_read, lvt_write,
                        LVT_STATUS | LVT_REMOTE_IRR},
    [APIC_LVT_LINT1] = {ALL_RW, 0x0001a7ffu, lvt_read, lvt_write,
                        LVT_STATUS | LVT_REMOTE_IRR},
    [APIC_LVT_ERROR] = {ALL_RW, 0x000100ffu, lvt_read, lvt_write, LVT_STATUS},
    [APIC_TMICT] = {ALL_RW, 0xffffffffu, tmict_read, tmict_write, 0},
    [APIC_TMCCT] = {.where = ALL_R, .read = tmcct_read},
    [APIC_TDCR] = {ALL_RW, 0x0000000bu, tdcr_read, tdcr_write, 0},
    [APIC_SELF_IPI] = {X2_W, 0xff, NULL, self_ipi_write, 0},
};

int vlapic_reg_read(struct vlapic *vl, unsigned reg, uint32_t *value)
{
    unsigned need = vlapic_is_x2apic(vl) ? X2_R : X1_R;

    if (reg >= APIC_REG_COUNT || (rules[reg].where & need) == 0) {
        return -RV_EINVAL;
    }
    *value = rules[reg].read(vl, reg);
    return 0;
}

int vlapic_reg_write(struct vlapic *vl, unsigned reg, uint32_t value)
{
    bool x2 = vlapic_is_x2apic(vl);
    unsigned need = x2 ? X2_W : X1_W;

    if (reg >= APIC_REG_COUNT || (rules[reg].where & need) == 0) {
        return -RV_EINVAL;
    }
    if (x2 && (value & ~(rules[reg].writable | rules[reg].read_only)) != 0) {
        return -RV_EINVAL;
    }
    if (rules[reg].write != NULL) {
        rules[reg].write(vl, reg, value & rules[reg].writable);
    }
    return 0;
}

/* ---- MMIO ---- */

uint32_t vlapic_mmio_read(struct vcpu *v, uint32_t offset)
{
    uint32_t value = 0;

    if (vlapic_reg_read(v->vlapic, offset >> 4, &value) != 0) {
        vlapic_error_raise(v->vlapic, APIC_ESR_REGISTER);
    }
    return value;
}

void vlapic_mmio_write(struct vcpu *v, uint32_t offset, uint32_t value)
{
    if (likely(offset == APIC_EOI << 4)) {
        vlapic_eoi(v);
        return;
    }
    if (vlapic_reg_write(v->vlapic, offset >> 4, value) != 0) {
        vlapic_error_raise(v->vlapic, APIC_ESR_REGISTER);
    }
}

bool vlapic_mmio_is_mapped(const struct vcpu *v)
{
    return (v->vlapic->base & (APIC_BASE_EN | APIC_BASE_X2)) == APIC_BASE_EN;
}
