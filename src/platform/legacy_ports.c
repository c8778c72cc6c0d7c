/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which device answers at a port of a legacy platform: one table. Byte devices
 * see wider accesses as several, in ascending order; devices with wide
 * registers see them as they are. A device that the manifest leaves out is a
 * port where nobody is.
 *
 * Threat surface: port, size, value and count are the guest's.
 */
#include "legacy_private.h"

#include "arch/host.h"
#include "ravelin/errno.h"
#include "ravelin/string.h"

#define FW_CFG_PORT 0x510u
#define FW_CFG_DATA 0x511u
#define PM_PORT_COUNT 64u
#define TEXT_PORT 0xe9u
#define WIDE true

enum device {
    DEVICE_PIC,
    DEVICE_PIT,
    DEVICE_RTC,
    DEVICE_UART,
    DEVICE_KBC,
    DEVICE_APM,
    DEVICE_GPE,
    DEVICE_DEBUG,
    DEVICE_TEXT,
    DEVICE_FW_CFG,
    DEVICE_PCI,
    DEVICE_IDE,
    DEVICE_VGA,
};

/* What the manifest must have left in for them to answer. */
static const uint16_t needs[] = {
    [DEVICE_PIC] = MANIFEST_DEV_PIC,
    [DEVICE_PIT] = MANIFEST_DEV_PIT,
    [DEVICE_RTC] = MANIFEST_DEV_RTC,
    [DEVICE_UART] = MANIFEST_DEV_UART,
    [DEVICE_KBC] = MANIFEST_DEV_KEYBOARD,
    [DEVICE_APM] = MANIFEST_DEV_PM_TIMER,
    [DEVICE_GPE] = MANIFEST_DEV_PM_TIMER,
    [DEVICE_DEBUG] = MANIFEST_DEV_DEBUG_PORT,
    [DEVICE_TEXT] = MANIFEST_DEV_DEBUG_PORT,
    [DEVICE_FW_CFG] = MANIFEST_DEV_FW_CFG,
    [DEVICE_PCI] = MANIFEST_DEV_PCI,
    [DEVICE_IDE] = MANIFEST_DEV_IDE,
    [DEVICE_VGA] = MANIFEST_DEV_SCREEN,
};

/* clang-format off */
static const struct port_range {
    uint16_t first;
    uint8_t count;
    uint8_t device; /* enum device */
    bool is_wide;
} ranges[] = {
    {LEGACY_IDE_PRIMARY,           1, DEVICE_IDE, WIDE},
    {LEGACY_IDE_PRIMARY + 1,       7, DEVICE_IDE, false},
    {LEGACY_IDE_SECONDARY,         1, DEVICE_IDE, WIDE},
    {LEGACY_IDE_SECONDARY + 1,     7, DEVICE_IDE, false},
    {LEGACY_IDE_PRIMARY_CONTROL,   1, DEVICE_IDE, false},
    {LEGACY_IDE_SECONDARY_CONTROL, 1, DEVICE_IDE, false},
    {LEGACY_PIC_FIRST,             2, DEVICE_PIC, false},
    {LEGACY_PIC_SECOND,            2, DEVICE_PIC, false},
    {LEGACY_UART_COM1,             8, DEVICE_UART, false},
    {0x60,                         1, DEVICE_KBC, false},
    {0x64,                         1, DEVICE_KBC, false},
    {0x40,                         4, DEVICE_PIT, false},
    {0x61,                         1, DEVICE_PIT, false},
    {LEGACY_VGA_PORT,              LEGACY_VGA_PORT_COUNT, DEVICE_VGA, false},
    {LEGACY_VGA_DISPI_PORT,        LEGACY_VGA_DISPI_PORT_COUNT, DEVICE_VGA, WIDE},
    {LEGACY_RTC_PORT,              2, DEVICE_RTC, false},
    {LEGACY_PCI_ADDRESS,           LEGACY_PCI_PORT_COUNT, DEVICE_PCI, WIDE},
    {FW_CFG_PORT,                  2, DEVICE_FW_CFG, WIDE},
    {0x514,                        8, DEVICE_FW_CFG, WIDE},
    {LEGACY_POST_PORT,             1, DEVICE_DEBUG, false},
    {LEGACY_DELAY_PORT,            1, DEVICE_DEBUG, false},
    {LEGACY_DEBUG_PORT,            1, DEVICE_DEBUG, false},
    {TEXT_PORT,                    1, DEVICE_TEXT, false},
    {0x92,                         1, DEVICE_KBC, false},
    {LEGACY_PM_APM,                2, DEVICE_APM, false},
    {LEGACY_PIC_ELCR,              2, DEVICE_PIC, false},
    {LEGACY_GPE_PORT,              LEGACY_GPE_PORT_COUNT, DEVICE_GPE, false},
    {LEGACY_GPE_SLOT_PORT,         LEGACY_GPE_SLOT_PORT_COUNT, DEVICE_GPE, false},
};
/* clang-format on */

static struct legacy_ide *ide_at(struct legacy_platform *p, uint16_t port)
{
    return &p->ide[(port & 0x80u) == 0]; /* 0x1f0 and 0x3f6: the first */
}

static uint32_t device_read(struct legacy_platform *p, uint16_t port,
                            unsigned size, enum device device)
{
    switch (device) {
    case DEVICE_PIC:
        return legacy_pic_read(&p->pic, port);
    case DEVICE_PIT:
        return legacy_pit_read(&p->pit, port);
    case DEVICE_RTC:
        return legacy_rtc_read(&p->rtc, port);
    case DEVICE_UART:
        return legacy_uart_read(&p->uart, port - LEGACY_UART_COM1);
    case DEVICE_KBC:
        return legacy_kbc_read(&p->kbc, port);
    case DEVICE_APM:
        return legacy_pm_apm_read(&p->pm, port);
    case DEVICE_GPE:
        return legacy_gpe_read(&p->gpe, port);
    case DEVICE_DEBUG:
        return legacy_debug_read(&p->debug, port);
    case DEVICE_TEXT:
        return TEXT_PORT;
    case DEVICE_FW_CFG:
        return legacy_fw_cfg_read(&p->fw_cfg, port, size);
    case DEVICE_PCI:
        return legacy_pci_read(&p->pci, port, size);
    case DEVICE_IDE:
        return legacy_ide_read(ide_at(p, port), port, size);
    case DEVICE_VGA:
        return legacy_vga_read(&p->vga, port, size);
    }
    return UINT32_MAX;
}

/* Text without a terminal, as Bochs has it: to a console of bytes, not into the
 * picture of a screen. Out of line, or all writes would pay for its frame. */
static rv_noinline void text_write(struct legacy_platform *p, char byte)
{
    (void)!p->host.console_write(p, &byte, 1);
}

static rv_noinline void vga_write(struct legacy_platform *p, uint16_t port,
                                  unsigned size, uint32_t value)
{
    if (legacy_vga_write(&p->vga, port, size, value) && p->screen != NULL) {
        legacy_screen_moved(p->screen, &p->vga);
    }
}

static void device_write(struct legacy_platform *p, uint16_t port,
                         unsigned size, uint32_t value, enum device device)
{
    uint8_t byte = (uint8_t)value;

    switch (device) {
    case DEVICE_PIC:
        legacy_pic_write(&p->pic, port, byte);
        break;
    case DEVICE_PIT:
        legacy_pit_write(&p->pit, port, byte);
        break;
    case DEVICE_RTC:
        legacy_rtc_write(&p->rtc, port, byte);
        break;
    case DEVICE_UART:
        legacy_uart_write(&p->uart, port - LEGACY_UART_COM1, byte);
        break;
    case DEVICE_KBC:
        legacy_kbc_write(&p->kbc, port, byte);
        break;
    case DEVICE_APM:
        legacy_pm_apm_write(&p->pm, port, byte);
        break;
    case DEVICE_GPE:
        legacy_gpe_write(&p->gpe, port, byte);
        break;
    case DEVICE_DEBUG:
        legacy_debug_write(&p->debug, port, byte);
        break;
    case DEVICE_TEXT:
        text_write(p, (char)byte);
        break;
    case DEVICE_FW_CFG:
        legacy_fw_cfg_write(&p->fw_cfg, port, size, value);
        break;
    case DEVICE_PCI:
        legacy_pci_write(&p->pci, port, size, value);
        break;
    case DEVICE_IDE:
        legacy_ide_write(ide_at(p, port), port, size, value);
        break;
    case DEVICE_VGA:
        vga_write(p, port, size, value);
        break;
    }
}

static const struct port_range *range_find(const struct legacy_platform *p,
                                           uint16_t port)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
        const struct port_range *r = &ranges[i];

        if ((uint16_t)(port - r->first) < r->count) {
            return legacy_has(p, needs[r->device]) ? r : NULL;
        }
    }
    return NULL;
}

/* The power management block is where the guest has put it. */
static bool pm_access(struct legacy_platform *p, uint16_t port, unsigned size,
                      bool in, uint32_t *value)
{
    uint16_t base = legacy_pci_pm_base(&p->pci);
    unsigned offset = (unsigned)port - base;

    if (base == 0 || offset >= PM_PORT_COUNT || size > PM_PORT_COUNT - offset ||
        !legacy_has(p, MANIFEST_DEV_PM_TIMER)) {
        return false;
    }
    if (in) {
        *value = legacy_pm_read(&p->pm, offset, size);
    } else {
        legacy_pm_write(&p->pm, offset, size, *value);
    }
    return true;
}

static void device_access(struct legacy_platform *p, const struct port_range *r,
                          uint16_t port, unsigned size, bool in,
                          uint32_t *value)
{
    if (in) {
        *value = device_read(p, port, size, r->device);
    } else {
        device_write(p, port, size, *value, r->device);
    }
}

/* One byte of an access; absent ports read as ones. */
static uint32_t byte_access(struct legacy_platform *p, uint16_t port, bool in,
                            uint32_t byte)
{
    const struct port_range *r = range_find(p, port);

    if (r == NULL || r->is_wide) {
        return 0xff;
    }
    device_access(p, r, port, 1, in, &byte);
    return byte & 0xffu;
}

static bool access(struct legacy_platform *p, uint16_t port, unsigned size,
                   bool in, uint32_t *value)
{
    const struct port_range *r = range_find(p, port);
    uint32_t all = 0;

    if (r == NULL) {
        return pm_access(p, port, size, in, value);
    }
    if (r->is_wide) {
        device_access(p, r, port, size, in, value);
        return true;
    }
    for (unsigned i = 0; i < size; i++) {
        uint32_t byte = *value >> (8 * i) & 0xffu;

        all |= byte_access(p, (uint16_t)(port + i), in, byte) << (8 * i);
    }
    *value = in ? all : *value;
    return true;
}

int legacy_port(struct vcpu *v, uint16_t port, unsigned size, bool in,
                uint32_t *value)
{
    struct legacy_platform *p = v->domain->legacy;
    bool found;

    spin_lock(&p->lock);
    legacy_catch_up(p);
    found = access(p, port, size, in, value);
    legacy_schedule(p);
    legacy_unlock(p);
    return found ? 0 : -RV_ENOENT;
}

size_t legacy_port_string(struct vcpu *v, uint16_t port, unsigned size, bool in,
                          uint8_t *buf, size_t n)
{
    struct legacy_platform *p = v->domain->legacy;
    bool is_ide = port == LEGACY_IDE_PRIMARY || port == LEGACY_IDE_SECONDARY;
    size_t moved = 0;

    if (is_ide && legacy_has(p, MANIFEST_DEV_IDE) && size >= 2) {
        spin_lock(&p->lock);
        moved =
            in ? legacy_ide_data_read(ide_at(p, port), size, buf, n / size)
               : legacy_ide_data_write(ide_at(p, port), size, buf, n / size);
        moved *= size;
        legacy_schedule(p);
        legacy_unlock(p);
    } else if (port == FW_CFG_DATA && size == 1 && in &&
               legacy_has(p, MANIFEST_DEV_FW_CFG)) {
        spin_lock(&p->lock);
        legacy_fw_cfg_data_read(&p->fw_cfg, buf, n);
        moved = n;
        legacy_unlock(p);
    }
    return moved;
}
