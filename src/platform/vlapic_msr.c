/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's MSRs: mode changes through IA32_APIC_BASE, the x2APIC
 * register space, the TSC deadline. Moving the APIC to another address is
 * refused: no guest of this platform needs it, and a second MMIO page that
 * can appear anywhere in RAM would only widen the attack surface.
 *
 * Threat surface: index and value of RDMSR and WRMSR. The whole x2APIC range
 * is bounded in vlapic_regs.c; what is beyond the last register does not exist.
 */
#include "ravelin/errno.h"
#include "ravelin/vlapic.h"

#include "vlapic_private.h"

static int base_write(struct vlapic *vl, uint64_t value)
{
    uint32_t mode = (uint32_t)value & (APIC_BASE_EN | APIC_BASE_X2);
    uint32_t old = vl->base & (APIC_BASE_EN | APIC_BASE_X2);
    uint32_t fixed = vl->base & APIC_BASE_BSP;

    if ((value & ~(uint64_t)(APIC_BASE_EN | APIC_BASE_X2)) !=
        (VLAPIC_MMIO_BASE | fixed)) {
        return -RV_EINVAL;
    }
    /* Off -> xAPIC -> x2APIC -> off are the only ways, plus xAPIC -> off. */
    if (mode == APIC_BASE_X2 || (old == 0 && (mode & APIC_BASE_X2) != 0) ||
        ((old & APIC_BASE_X2) != 0 && mode == APIC_BASE_EN)) {
        return -RV_EINVAL;
    }
    if (mode == old) {
        return 0;
    }
    write_once(vl->base, mode | fixed);
    if (mode == 0) {
        vlapic_registers_reset(vl);
    } else if ((mode & APIC_BASE_X2) != 0) {
        write_once(vl->ldr, ((vl->id >> 4) << 16) | (1u << (vl->id & 15u)));
        vl->icr2 = 0;
    }
    vlapic_enabled_update(vl);
    return 0;
}

static int icr_write(struct vlapic *vl, uint64_t value)
{
    uint32_t low = (uint32_t)value;

    if ((low & ~APIC_ICR_X2_MASK) != 0) {
        return -RV_EINVAL;
    }
    vl->icr = low;
    vl->icr2 = (uint32_t)(value >> 32);
    vlapic_icr_send(vl, low, vl->icr2);
    return 0;
}

static int x2_read(struct vlapic *vl, unsigned reg, uint64_t *value)
{
    uint32_t low;

    if (!vlapic_is_x2apic(vl)) {
        return -RV_EINVAL;
    }
    if (reg == APIC_ICR) {
        *value = ((uint64_t)vl->icr2 << 32) | vl->icr;
        return 0;
    }
    if (vlapic_reg_read(vl, reg, &low) != 0) {
        return -RV_EINVAL;
    }
    *value = low;
    return 0;
}

static int x2_write(struct vlapic *vl, unsigned reg, uint64_t value)
{
    if (!vlapic_is_x2apic(vl)) {
        return -RV_EINVAL;
    }
    if (reg == APIC_ICR) {
        return icr_write(vl, value);
    }
    if (value >> 32 != 0) {
        return -RV_EINVAL;
    }
    return vlapic_reg_write(vl, reg, (uint32_t)value);
}

int vlapic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    struct vlapic *vl = v->vlapic;

    if (msr >= APIC_MSR_BASE && msr <= APIC_MSR_LAST) {
        return x2_read(vl, msr - APIC_MSR_BASE, value);
    }
    if (msr == MSR_APIC_BASE) {
        *value = VLAPIC_MMIO_BASE | vl->base;
        return 0;
    }
    if (msr == MSR_TSC_DEADLINE) {
        *value = vlapic_timer_deadline_read(vl);
        return 0;
    }
    return -RV_EINVAL;
}

int vlapic_msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct vlapic *vl = v->vlapic;

    if (msr >= APIC_MSR_BASE && msr <= APIC_MSR_LAST) {
        return x2_write(vl, msr - APIC_MSR_BASE, value);
    }
    if (msr == MSR_APIC_BASE) {
        return base_write(vl, value);
    }
    if (msr == MSR_TSC_DEADLINE) {
        vlapic_timer_deadline_write(vl, value);
        return 0;
    }
    return -RV_EINVAL;
}
