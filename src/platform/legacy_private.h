/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A legacy platform: its devices and what is needed to run them. One lock
 * guards all devices; what must not happen under it (shutting the domain down,
 * resetting vCPUs) is noted and done after its release.
 */
#pragma once

#include "ravelin/block_memory.h"
#include "ravelin/legacy.h"
#include "ravelin/legacy_debug.h"
#include "ravelin/legacy_fw_cfg.h"
#include "ravelin/legacy_gpe.h"
#include "ravelin/legacy_ide.h"
#include "ravelin/legacy_irq.h"
#include "ravelin/legacy_kbc.h"
#include "ravelin/legacy_pci.h"
#include "ravelin/legacy_pic.h"
#include "ravelin/legacy_pit.h"
#include "ravelin/legacy_pm.h"
#include "ravelin/legacy_rtc.h"
#include "ravelin/legacy_screen.h"
#include "ravelin/legacy_uart.h"
#include "ravelin/legacy_vga.h"
#include "ravelin/lock.h"
#include "ravelin/timer.h"

#define LEGACY_E820_MAX 8u

struct legacy_e820 {
    uint64_t base;
    uint64_t size;
    uint32_t type;
} rv_packed;

struct legacy_platform {
    struct spinlock lock; /* rank LEGACY; protects the devices and `armed_ns` */
    struct domain *domain;
    const struct manifest_domain *manifest;
    uint32_t without; /* MANIFEST_DEV_*; fixed */
    bool has_screen;  /* mirrored to the console; fixed */
    bool is_dead;     /* protected by lock: no timers any more */
    struct timer timer;
    uint64_t armed_ns;

    bool poweroff; /* protected by lock: asked for, not yet done */
    bool reset;    /* atomic: asked for, not yet done; vCPU 0 does it */

    const uint8_t *rom; /* boot module, for the shadow after a reset */
    uint64_t rom_size;

    struct legacy_host host;
    struct legacy_host screen_host; /* the same, other console output */
    struct legacy_irq irq;
    struct legacy_pic pic;
    struct legacy_pit pit;
    struct legacy_rtc rtc;
    struct legacy_uart uart;
    struct legacy_kbc kbc;
    struct legacy_pm pm;
    struct legacy_debug debug;
    struct legacy_fw_cfg fw_cfg;
    struct legacy_pci pci;
    struct legacy_gpe gpe;
    struct legacy_ide ide[2];
    struct block_memory disk;
    struct block_memory cdrom;
    struct legacy_vga vga;
    struct legacy_screen *screen; /* pages of its own; NULL: none */
    uint8_t *ide_buffer;          /* two pages */
    mfn_t text_frame[LEGACY_VGA_TEXT_PAGES];
    unsigned text_frame_count; /* pinned */

    unsigned e820_count;
    struct legacy_e820 e820[LEGACY_E820_MAX];
    char boot_order[128];
};

#define LEGACY_PLATFORM_ORDER 2u
#define LEGACY_SCREEN_ORDER 3u
#define LEGACY_IDE_BUFFER_ORDER 1u

static inline bool legacy_has(const struct legacy_platform *p, uint32_t devices)
{
    return (p->without & devices) == 0;
}

/* legacy_platform.c */
/** Allocates the platform of `d` with all devices as at power-on. 0; -ENOMEM;
 * -EINVAL an image cannot be used. */
int rv_must_check legacy_platform_create(struct domain *d,
                                         const struct manifest_domain *m);
/** Runs what is due by now; lock held, legacy_schedule() to follow. */
void legacy_catch_up(struct legacy_platform *p);
/** Arms the timer for what comes next; lock held. */
void legacy_schedule(struct legacy_platform *p);
/** Releases the lock and does what could not be done under it. */
void legacy_unlock(struct legacy_platform *p);

/* legacy_fw.c */
/** Fills fw_cfg and CMOS. 0; -ENOSPC. */
int rv_must_check legacy_firmware_tell(struct legacy_platform *p,
                                       const struct boot_info *info);

/* legacy_reset.c */
/** The last part of the ROM, at the end of the first megabyte. 0; -EFAULT. */
int rv_must_check legacy_shadow_write(struct legacy_platform *p);
