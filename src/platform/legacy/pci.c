/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration space of a legacy domain: one table says what each register
 * holds at power-on and which of its bits can be written. What is not in the
 * table reads as zero and cannot be written, which also tells a BIOS that a
 * base address register is not there.
 *
 * Threat surface: address and data are the guest's.
 */
#include "ravelin/legacy_pci.h"

#include "ravelin/string.h"

#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu

/* Ref: 82371SB PIIX3, "RC - Reset Control Register". */
#define RESET_CPU 0x04u
#define RESET_STORED 0x02u

/* Ref: 82371AB PIIX4, "PMBASE", "PMREGMISC" (function 3). */
#define PM_BASE 0x40u
#define PM_BASE_MASK 0xffc0u
#define PM_MISC 0x80u
#define PM_MISC_ENABLE 0x01u

/* Device and function number; the bus is 0. */
static const uint8_t function_address[LEGACY_PCI_FUNCTION_COUNT] = {
    [LEGACY_PCI_HOST] = 0 << 3 | 0,
    [LEGACY_PCI_ISA] = 1 << 3 | 0,
    [LEGACY_PCI_IDE] = 1 << 3 | 1,
    [LEGACY_PCI_PM] = 1 << 3 | 3,
};

struct pci_register {
    uint8_t function;
    uint8_t offset;
    uint8_t size; /* 1, 2 or 4 bytes */
    uint32_t value;
    uint32_t writable;
};

/* Vendor and device, command, status, revision and class. */
#define PCI_HEADER(fn, device, command, writable, class_code)               \
    {(fn), 0x00, 4, (uint32_t)(device) << 16 | 0x8086u, 0},                 \
        {(fn), 0x04, 2, (command), (writable)}, {(fn), 0x06, 2, 0x0280, 0}, \
        {(fn), 0x08, 4, (uint32_t)(class_code) << 8, 0},                    \
    {                                                                       \
        (fn), 0x3c, 1, 0, 0xff                                              \
    }

static const struct pci_register registers[] = {
    /* Ref: 82441FX PMC, "PAM", "DRB", "SMRAM". Rights and sizes of memory are
     * settled before the guest starts. */
    PCI_HEADER(LEGACY_PCI_HOST, 0x1237, 0x0006, 0x0140, 0x060000),
    {LEGACY_PCI_HOST, 0x0d, 1, 0x00, 0xf8},
    {LEGACY_PCI_HOST, 0x50, 2, 0x0000, 0xffff},
    {LEGACY_PCI_HOST, 0x59, 1, 0x00, 0x30},
    {LEGACY_PCI_HOST, 0x5a, 2, 0x0000, 0x3333},
    {LEGACY_PCI_HOST, 0x5c, 4, 0x00000000, 0x33333333},
    {LEGACY_PCI_HOST, 0x60, 4, 0x01010101, 0xffffffff},
    {LEGACY_PCI_HOST, 0x64, 4, 0x01010101, 0xffffffff},
    {LEGACY_PCI_HOST, 0x72, 1, 0x02, 0x78},
    /* Ref: 82371SB PIIX3, function 0: "PIRQRC", "TOM", "APICBASE". */
    PCI_HEADER(LEGACY_PCI_ISA, 0x7000, 0x0007, 0x0108, 0x060100),
    {LEGACY_PCI_ISA, 0x0e, 1, 0x80, 0}, /* several functions */
    {LEGACY_PCI_ISA, 0x4c, 1, 0x4d, 0x7f},
    {LEGACY_PCI_ISA, 0x4e, 2, 0x0003, 0x01ff},
    {LEGACY_PCI_ISA, 0x60, 4, 0x80808080, 0x8f8f8f8f},
    {LEGACY_PCI_ISA, 0x69, 1, 0x02, 0xfe},
    {LEGACY_PCI_ISA, 0x80, 1, 0x00, 0x7f},
    {LEGACY_PCI_ISA, 0x82, 1, 0x00, 0x0f},
    /* Function 1: "IDETIM". Both channels at the compatibility ports, no bus
     * master, hence no base address. */
    PCI_HEADER(LEGACY_PCI_IDE, 0x7010, 0x0001, 0x0001, 0x010100),
    {LEGACY_PCI_IDE, 0x0d, 1, 0x00, 0xf0},
    {LEGACY_PCI_IDE, 0x40, 4, 0x00000000, 0xffffffff},
    {LEGACY_PCI_IDE, 0x44, 1, 0x00, 0xff},
    /* Ref: 82371AB PIIX4, function 3. In DEVACTB bit 25, "writes to port 0xb2
     * cause an SMI", stands set: no BIOS needs to do that here. */
    PCI_HEADER(LEGACY_PCI_PM, 0x7113, 0x0000, 0x0001, 0x068000),
    {LEGACY_PCI_PM, 0x3d, 1, 0x01, 0},
    {LEGACY_PCI_PM, PM_BASE, 4, 0x00000001, PM_BASE_MASK},
    {LEGACY_PCI_PM, 0x58, 4, 0x02000000, 0xfdffffff},
    {LEGACY_PCI_PM, PM_MISC, 1, 0x00, PM_MISC_ENABLE},
    {LEGACY_PCI_PM, 0x90, 4, 0x00000001, 0xfff0},
    {LEGACY_PCI_PM, 0xd2, 1, 0x00, 0x0f},
};

void legacy_pci_init(struct legacy_pci *pci, const struct legacy_host *host,
                     uint32_t functions)
{
    pci->host = host;
    pci->functions = functions | 1u << LEGACY_PCI_HOST;
    legacy_pci_reset(pci);
}

void legacy_pci_reset(struct legacy_pci *pci)
{
    pci->address = 0;
    pci->reset_control = 0;
    memset(pci->space, 0, sizeof(pci->space));
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct pci_register *r = &registers[i];

        for (unsigned byte = 0; byte < r->size; byte++) {
            pci->space[r->function][r->offset + byte] =
                (uint8_t)(r->value >> (8 * byte));
        }
    }
}

/* The function that the address register names, or -1. */
static int function_find(const struct legacy_pci *pci)
{
    uint32_t place = pci->address >> 8 & 0xffffu;

    if ((pci->address & ADDRESS_ENABLE) == 0) {
        return -1;
    }
    for (unsigned i = 0; i < LEGACY_PCI_FUNCTION_COUNT; i++) {
        if (place == function_address[i] && (pci->functions >> i & 1u) != 0) {
            return (int)i;
        }
    }
    return -1;
}

static uint8_t writable_bits(unsigned function, uint8_t offset)
{
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct pci_register *r = &registers[i];
        unsigned byte = (unsigned)offset - r->offset;

        if (r->function == function && byte < r->size) {
            return (uint8_t)(r->writable >> (8 * byte));
        }
    }
    return 0;
}

/* ---- The data port: bytes, none of them beyond the addressed word ---- */

static uint32_t data_read(const struct legacy_pci *pci, uint16_t port,
                          unsigned size)
{
    int function = function_find(pci);
    uint32_t value = UINT32_MAX;

    for (unsigned i = 0; function >= 0 && i < size && (port & 3u) + i < 4;
         i++) {
        uint8_t offset = (uint8_t)((pci->address & 0xfcu) + (port & 3u) + i);

        value &= ~(0xffu << (8 * i));
        value |= (uint32_t)pci->space[function][offset] << (8 * i);
    }
    return value;
}

static void data_write(struct legacy_pci *pci, uint16_t port, unsigned size,
                       uint32_t value)
{
    int function = function_find(pci);

    for (unsigned i = 0; function >= 0 && i < size && (port & 3u) + i < 4;
         i++) {
        uint8_t offset = (uint8_t)((pci->address & 0xfcu) + (port & 3u) + i);
        uint8_t mask = writable_bits((unsigned)function, offset);
        uint8_t *byte = &pci->space[function][offset];

        *byte = (uint8_t)((*byte & ~mask) | (value >> (8 * i) & mask));
    }
}

static void reset_control_write(struct legacy_pci *pci, uint8_t value)
{
    bool rising = (value & ~pci->reset_control & RESET_CPU) != 0;

    pci->reset_control = value & (RESET_CPU | RESET_STORED);
    if (rising) {
        pci->host->request(pci->host->ctx, LEGACY_RESET);
    }
}

uint32_t legacy_pci_read(struct legacy_pci *pci, uint16_t port, unsigned size)
{
    uint32_t all_ones = UINT32_MAX >> (32 - 8 * size);

    if (port == LEGACY_PCI_ADDRESS && size == 4) {
        return pci->address;
    }
    if (port == LEGACY_PCI_RESET && size == 1) {
        return pci->reset_control;
    }
    if (port - LEGACY_PCI_DATA < 4u) {
        return data_read(pci, port, size) & all_ones;
    }
    return all_ones;
}

void legacy_pci_write(struct legacy_pci *pci, uint16_t port, unsigned size,
                      uint32_t value)
{
    if (port == LEGACY_PCI_ADDRESS && size == 4) {
        pci->address = value & ADDRESS_WRITABLE;
    } else if (port == LEGACY_PCI_RESET && size == 1) {
        reset_control_write(pci, (uint8_t)value);
    } else if (port - LEGACY_PCI_DATA < 4u) {
        data_write(pci, port, size, value);
    }
}

uint16_t legacy_pci_pm_base(const struct legacy_pci *pci)
{
    const uint8_t *space = pci->space[LEGACY_PCI_PM];

    if ((pci->functions >> LEGACY_PCI_PM & 1u) == 0 ||
        (space[PM_MISC] & PM_MISC_ENABLE) == 0) {
        return 0;
    }
    return (uint16_t)((space[PM_BASE] | space[PM_BASE + 1] << 8) &
                      PM_BASE_MASK);
}
