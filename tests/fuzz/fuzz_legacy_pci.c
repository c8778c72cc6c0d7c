/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: PCI configuration space under any sequence of port accesses.
 * Identities never change, and only the data port of an existing function
 * answers.
 *
 * Input: commands of eight bytes: operation, port, value (4), two unused.
 */
#include "fuzz.h"

#include "legacy_fixture.h"
#include "ravelin/legacy_pci.h"

static struct legacy_fixture fake;
static struct legacy_pci pci;

static void require_sane(void)
{
    static const uint16_t devices[] = {0x1237, 0x7000, 0x7010, 0x7113};
    uint16_t base = legacy_pci_pm_base(&pci);

    for (unsigned i = 0; i < LEGACY_PCI_FUNCTION_COUNT; i++) {
        const uint8_t *space = pci.space[i];

        require(space[0] == 0x86 && space[1] == 0x80);
        require((space[2] | space[3] << 8) == devices[i]);
        for (unsigned bar = 0x10; bar < 0x34; bar++) {
            require(space[bar] == 0);
        }
    }
    require((base & 0x3f) == 0);
    require((pci.address & 0x7f000003) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    legacy_pci_init(&pci, legacy_fixture_start(&fake), size > 0 ? data[0] : 0);
    for (; size >= 8; data += 8, size -= 8) {
        uint16_t port = (uint16_t)(LEGACY_PCI_ADDRESS + (data[1] & 7u));
        unsigned width = 1u << (data[0] >> 1) % 3;
        uint32_t value;

        memcpy(&value, data + 2, 4);
        if ((data[0] & 0x40u) != 0) {
            value |= 0x80000000u; /* useful addresses are rare otherwise */
            value &= 0x80000fffu;
        }
        if ((data[0] & 1u) != 0) {
            legacy_pci_write(&pci, port, width, value);
        } else {
            value = legacy_pci_read(&pci, port, width);
            require(width == 4 || value >> (8 * width) == 0);
        }
        require_sane();
    }
    return 0;
}
