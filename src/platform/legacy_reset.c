/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reset line of a legacy platform: devices and vCPUs to their power-on
 * state, the firmware's shadow as new, memory and drives as they are. Asked for
 * through the keyboard controller, port 0x92 or 0xcf9; done by vCPU 0 before
 * its next entry, when it holds no lock.
 *
 * Threat surface: a guest may reset itself for ever; each time costs it one
 * bounded turn.
 */
#include "legacy_private.h"

#include "ravelin/guest_copy.h"
#include "ravelin/sched.h"
#include "ravelin/vlapic.h"

int legacy_shadow_write(struct legacy_platform *p)
{
    uint64_t size = rv_min(p->rom_size, LEGACY_SHADOW_SIZE);

    return guest_phys_write(p->domain, gpa(LEGACY_SHADOW_END - size),
                            p->rom + p->rom_size - size, size);
}

static void devices_reset(struct legacy_platform *p)
{
    if (p->screen != NULL) {
        legacy_screen_finish(p->screen, &p->vga);
    }
    legacy_pic_reset(&p->pic);
    legacy_irq_reset(&p->irq);
    legacy_pit_reset(&p->pit);
    legacy_rtc_reset(&p->rtc);
    legacy_uart_reset(&p->uart);
    legacy_kbc_reset(&p->kbc);
    legacy_pm_reset(&p->pm);
    legacy_fw_cfg_reset(&p->fw_cfg);
    legacy_pci_reset(&p->pci);
    legacy_gpe_reset(&p->gpe);
    legacy_ide_reset(&p->ide[0]);
    legacy_ide_reset(&p->ide[1]);
    legacy_vga_reset(&p->vga);
}

void legacy_attend(struct vcpu *v)
{
    struct legacy_platform *p = v->domain->legacy;

    if (v->id != 0 || !load_acquire(&p->reset)) {
        return;
    }
    vlapic_deliver(v->domain, 0xffu, false, APIC_MODE_INIT, 0, false);
    spin_lock(&p->lock);
    store_release(&p->reset, false);
    devices_reset(p);
    legacy_schedule(p);
    legacy_unlock(p);
    /* A guest that gave these pages away starts without them. */
    (void)!legacy_shadow_write(p);
    vlapic_power_on(v);
}
