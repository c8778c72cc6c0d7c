/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the ACPI tables of a domain. There is no PM timer, SCI, PIC, RTC or
 * VGA: the FADT says "hardware-reduced" so that the guest does not look for
 * them. Processors are in the MADT with the ids that CPUID shows.
 *
 * Threat surface: none; all input is the hypervisor's.
 */
#include "acpi_tables.h"

#include "ravelin/io_ports.h"
#include "ravelin/string.h"
#include "ravelin/vioapic.h"
#include "ravelin/vlapic.h"

struct acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t checksum_all;
    uint8_t reserved[3];
} rv_packed;

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem[6];
    char oem_table[8];
    uint32_t oem_revision;
    char creator[4];
    uint32_t creator_revision;
} rv_packed;

struct acpi_xsdt {
    struct acpi_header header;
    uint64_t table[2];
} rv_packed;

struct acpi_gas {
    uint8_t space;
    uint8_t bits;
    uint8_t offset;
    uint8_t access;
    uint64_t address;
} rv_packed;

/* Revision 5.1. Everything not named is zero on this platform. */
struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs;
    uint32_t dsdt;
    uint8_t reserved0;
    uint8_t pm_profile;
    uint8_t unused0[109 - 46];
    uint16_t boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    struct acpi_gas reset;
    uint8_t reset_value;
    uint8_t unused1[131 - 129];
    uint8_t minor;
    uint64_t x_facs;
    uint64_t x_dsdt;
    uint8_t unused2[244 - 148];
    struct acpi_gas sleep_control;
    struct acpi_gas sleep_status;
} rv_packed;

struct acpi_madt {
    struct acpi_header header;
    uint32_t apic_address;
    uint32_t flags;
} rv_packed;

struct acpi_madt_lapic {
    uint8_t type;
    uint8_t length;
    uint8_t uid;
    uint8_t apic_id;
    uint32_t flags;
} rv_packed;

struct acpi_madt_ioapic {
    uint8_t type;
    uint8_t length;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t gsi_base;
} rv_packed;

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3 RSDP");
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6 header");
_Static_assert(sizeof(struct acpi_gas) == 12, "ACPI 5.2.3.2 GAS");
_Static_assert(sizeof(struct acpi_fadt) == 268, "ACPI 5.2.9 FADT rev 5");
_Static_assert(offsetof(struct acpi_fadt, pm_profile) == 45, "FADT profile");
_Static_assert(offsetof(struct acpi_fadt, boot_arch) == 109, "FADT boot arch");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "FADT flags");
_Static_assert(offsetof(struct acpi_fadt, minor) == 131, "FADT minor");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "FADT X_DSDT");
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244, "FADT sleep");

#define FADT_PROFILE_SERVER 4u
#define FADT_BOOT_NO_VGA 0x04u
#define FADT_BOOT_NO_RTC 0x20u
#define FADT_FLAG_WBINVD (1u << 0)
#define FADT_FLAG_C1 (1u << 2)
#define FADT_FLAG_RESET (1u << 10)
#define FADT_FLAG_HW_REDUCED (1u << 20)
#define GAS_IO 1u
#define GAS_BYTE 1u
#define MADT_LAPIC 0u
#define MADT_IOAPIC 1u
#define MADT_LAPIC_ENABLED 1u

/* Name (\_S5, Package () { ACPI_SLEEP_TYPE_S5, 0 }) */
static const uint8_t s5_aml[] = {
    0x08, '_',  'S',  '5',  '_', /* Name */
    0x12, 0x05, 0x02, 0x0a, ACPI_SLEEP_TYPE_S5,
    0, /* Package */
};

/* Scope (\_SB) { Device (COM1) { _HID PNP0501, _UID 1,
 *   _CRS { IO (Decode16, 0x3f8, 0x3f8, 1, 8) IRQNoFlags () {4} } } } */
static const uint8_t com1_aml[] = {
    0x10, 0x33, '\\', '_',  'S',  'B',  '_',                 /* Scope */
    0x5b, 0x82, 0x2b, 'C',  'O',  'M',  '1',                 /* Device */
    0x08, '_',  'H',  'I',  'D',  0x0c, 0x41, 0xd0, 5,    1, /* Name */
    0x08, '_',  'U',  'I',  'D',  0x01,                      /* Name */
    0x08, '_',  'C',  'R',  'S',  0x11, 0x10, 0x0a, 0x0d,    /* Buffer */
    0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01, 0x08,          /* IO */
    0x22, 0x10, 0x00,                                        /* IRQ 4 */
    0x79, 0x00,                                              /* end */
};

/* ---- The block ---- */

struct acpi_writer {
    uint8_t *block;
    uint64_t base;
    size_t used;
};

/* `n` zeroed bytes, 8-byte aligned. The sum over all tables with
 * VCPU_COUNT_MAX processors is below one page. */
static void *block_take(struct acpi_writer *w, size_t n)
{
    void *at = w->block + w->used;

    memset(at, 0, n);
    w->used += (n + 7u) & ~7UL;
    return at;
}

static uint64_t block_address(const struct acpi_writer *w, const void *at)
{
    return w->base + (uint64_t)((const uint8_t *)at - w->block);
}

static uint8_t checksum(const void *table, size_t n)
{
    const uint8_t *byte = table;
    uint8_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum = (uint8_t)(sum + byte[i]);
    }
    return (uint8_t)-sum;
}

static void header_fill(struct acpi_header *h, const char *signature,
                        size_t length, uint8_t revision)
{
    memcpy(h->signature, signature, sizeof(h->signature));
    h->length = (uint32_t)length;
    h->revision = revision;
    memcpy(h->oem, "RAVELN", sizeof(h->oem));
    memcpy(h->oem_table, "PVHGUEST", sizeof(h->oem_table));
    h->oem_revision = 1;
    memcpy(h->creator, "RVLN", sizeof(h->creator));
    h->creator_revision = 1;
}

/* Everything in the table is final: closes the sum. */
static void header_seal(struct acpi_header *h)
{
    h->checksum = 0;
    h->checksum = checksum(h, h->length);
}

/* ---- Tables ---- */

static uint64_t dsdt_build(struct acpi_writer *w,
                           const struct acpi_config *config)
{
    size_t com1 = config->serial_port ? sizeof(com1_aml) : 0;
    size_t length = sizeof(struct acpi_header) + sizeof(s5_aml) + com1;
    struct acpi_header *h = block_take(w, length);
    uint8_t *aml = (uint8_t *)(h + 1);

    header_fill(h, "DSDT", length, 2);
    memcpy(aml, s5_aml, sizeof(s5_aml));
    memcpy(aml + sizeof(s5_aml), com1_aml, com1);
    header_seal(h);
    return block_address(w, h);
}

static struct acpi_gas byte_port(uint16_t port)
{
    return (struct acpi_gas){
        .space = GAS_IO, .bits = 8, .access = GAS_BYTE, .address = port};
}

static uint64_t fadt_build(struct acpi_writer *w, uint64_t dsdt)
{
    struct acpi_fadt *f = block_take(w, sizeof(*f));

    header_fill(&f->header, "FACP", sizeof(*f), 5);
    f->minor = 1;
    f->dsdt = (uint32_t)dsdt;
    f->x_dsdt = dsdt;
    f->pm_profile = FADT_PROFILE_SERVER;
    f->boot_arch = FADT_BOOT_NO_VGA | FADT_BOOT_NO_RTC;
    f->flags = FADT_FLAG_WBINVD | FADT_FLAG_C1 | FADT_FLAG_RESET |
               FADT_FLAG_HW_REDUCED;
    f->reset = byte_port(IO_PORT_RESET);
    f->reset_value = ACPI_RESET_VALUE;
    f->sleep_control = byte_port(IO_PORT_SLEEP_CONTROL);
    f->sleep_status = byte_port(IO_PORT_SLEEP_STATUS);
    header_seal(&f->header);
    return block_address(w, f);
}

static uint64_t madt_build(struct acpi_writer *w,
                           const struct acpi_config *config)
{
    size_t length = sizeof(struct acpi_madt) +
                    config->vcpus * sizeof(struct acpi_madt_lapic) +
                    (config->serial_port ? sizeof(struct acpi_madt_ioapic) : 0);
    struct acpi_madt *m = block_take(w, length);
    uint8_t *at = (uint8_t *)(m + 1);

    header_fill(&m->header, "APIC", length, 4);
    m->apic_address = VLAPIC_MMIO_BASE;
    for (unsigned i = 0; i < config->vcpus; i++) {
        const struct acpi_madt_lapic lapic = {
            MADT_LAPIC, sizeof(lapic), (uint8_t)i, (uint8_t)vlapic_id_of(i),
            MADT_LAPIC_ENABLED};

        memcpy(at, &lapic, sizeof(lapic));
        at += sizeof(lapic);
    }
    if (config->serial_port) {
        const struct acpi_madt_ioapic ioapic = {
            MADT_IOAPIC, sizeof(ioapic), VIOAPIC_ID, 0, VIOAPIC_MMIO_BASE, 0};

        memcpy(at, &ioapic, sizeof(ioapic));
    }
    header_seal(&m->header);
    return block_address(w, m);
}

size_t acpi_tables_build(void *block, const struct acpi_config *config)
{
    struct acpi_writer w = {.block = block, .base = config->base};
    struct acpi_rsdp *rsdp = block_take(&w, sizeof(*rsdp));
    struct acpi_xsdt *xsdt = block_take(&w, sizeof(*xsdt));

    header_fill(&xsdt->header, "XSDT", sizeof(*xsdt), 1);
    xsdt->table[0] = fadt_build(&w, dsdt_build(&w, config));
    xsdt->table[1] = madt_build(&w, config);
    header_seal(&xsdt->header);

    memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
    memcpy(rsdp->oem, "RAVELN", sizeof(rsdp->oem));
    rsdp->revision = 2;
    rsdp->length = sizeof(*rsdp);
    rsdp->xsdt = block_address(&w, xsdt);
    rsdp->checksum = checksum(rsdp, 20);
    rsdp->checksum_all = checksum(rsdp, sizeof(*rsdp));
    return w.used;
}
