/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What boot loaders and firmware hand over, well-formed and broken: both
 * multiboot structures and the ACPI tables, laid out in 4 GiB of made-up memory
 * and read by the image's own parsers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../../src/arch/x86/boot/multiboot.c"
#include "../../src/arch/x86/boot/multiboot1.c"
#include "../../src/arch/x86/boot/multiboot2.c"
#include "../../src/arch/x86/platform/acpi.c"
#include "../../src/arch/x86/platform/acpi_tables.c"

#define INFO_AT 0x9000u
#define TEXT_AT 0xa000u
#define LIST_AT 0xb000u
#define RSDP_AT 0xf0010u
#define XSDT_AT 0x200000u
#define MADT_AT 0x201000u
#define FADT_AT 0x202000u
#define DSDT_AT 0x203000u
#define BOOT_APIC_ID 5u

uint8_t *fake_ram_base;
static struct boot_info info;
static bool x2;

bool lapic_is_x2(void)
{
    return x2;
}

uint32_t lapic_boot_id(void)
{
    return BOOT_APIC_ID;
}

static int memory_reset(void **state)
{
    (void)state;
    if (fake_ram_base != NULL) {
        munmap(fake_ram_base, BOOT_MAPPED_END);
    }
    fake_ram_base = mmap(NULL, BOOT_MAPPED_END, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(fake_ram_base, MAP_FAILED);
    memset(&info, 0, sizeof(info));
    info.options.cpu_limit = CPU_COUNT_MAX;
    acpi = (struct acpi_info){.lapic_base = {LAPIC_BASE_DEFAULT}};
    x2 = false;
    return 0;
}

static void store(uint64_t at, const void *data, size_t size)
{
    memcpy(fake_ram_base + at, data, size);
}

static uint32_t store_text(uint32_t at, const char *s)
{
    store(at, s, strlen(s) + 1);
    return at;
}

/* ---- Multiboot 1 ---- */

static void mb1_store(struct mb1_info mb)
{
    store(INFO_AT, &mb, sizeof(mb));
}

static int mb1_parse(void)
{
    return multiboot_parse(&info, MB1_LOADER_MAGIC, INFO_AT);
}

static void mb1_full_structure_is_understood(void **state)
{
    (void)state;
    const struct mb1_module module[] = {
        {0x100000, 0x100800, store_text(TEXT_AT, "/x/manifest a  b"), 0},
        {0x200000, 0x300000, store_text(TEXT_AT + 64, "kernel"), 0},
    };
    const struct mb1_mmap map[] = {
        {20, 0, 0x9fc00, 1},
        {20, 0x9fc00, 0x400, 2},
        {20, 0x100000, 0x1000000, 1},
        {20, 0x1100000, 0x1000, 3},
    };

    store(LIST_AT, module, sizeof(module));
    store(LIST_AT + 256, map, sizeof(map));
    mb1_store((struct mb1_info){
        .flags = FLAG_CMDLINE | FLAG_MODULES | FLAG_MMAP | FLAG_LOADER,
        .cmdline = store_text(TEXT_AT + 128, "build/ravelin  maxcpus=2 x"),
        .mods_count = 2,
        .mods_addr = LIST_AT,
        .mmap_length = sizeof(map),
        .mmap_addr = LIST_AT + 256,
        .loader_name = store_text(TEXT_AT + 256, "loader"),
    });
    assert_int_equal(mb1_parse(), 0);
    assert_string_equal(info.cmdline, "maxcpus=2 x");
    assert_string_equal(info.loader, "loader");
    assert_int_equal(info.module_count, 2);
    assert_string_equal(info.module[0].name, "manifest");
    assert_string_equal(info.module[0].args, "a  b");
    assert_int_equal(info.module[0].size, 0x800);
    assert_string_equal(info.module[1].name, "kernel");
    assert_string_equal(info.module[1].args, "");
    assert_int_equal(memmap_total(&info.memory, MEM_FREE), 0x109f000);
    assert_int_equal(memmap_total(&info.memory, MEM_ACPI), 0x1000);
}

static void mb1_command_line_without_file_name_is_kept(void **state)
{
    (void)state;
    mb1_store((struct mb1_info){
        .flags = FLAG_CMDLINE,
        .cmdline = store_text(TEXT_AT, "console=mux maxcpus=2"),
    });
    assert_int_equal(mb1_parse(), 0);
    assert_string_equal(info.cmdline, "console=mux maxcpus=2");
}

static void mb1_without_map_uses_the_sizes(void **state)
{
    (void)state;
    mb1_store((struct mb1_info){
        .flags = FLAG_MEMORY, .mem_lower = 640, .mem_upper = 1024});
    assert_int_equal(mb1_parse(), 0);
    assert_int_equal(memmap_total(&info.memory, MEM_FREE), 0x1a0000);
}

static void mb1_absurd_map_entry_ends_the_map(void **state)
{
    (void)state;
    const struct mb1_mmap map[] = {
        {20, 0, 0x1000, 1}, {0, 0x1000, 0x1000, 1}, {20, 0x2000, 0x1000, 1}};

    store(LIST_AT, map, sizeof(map));
    mb1_store((struct mb1_info){
        .flags = FLAG_MMAP, .mmap_length = UINT32_MAX, .mmap_addr = LIST_AT});
    assert_int_equal(mb1_parse(), 0);
    assert_int_equal(memmap_total(&info.memory, MEM_FREE), 0x1000);
}

static void mb1_unusable_modules_are_dropped_and_counted(void **state)
{
    (void)state;
    const struct mb1_module module[] = {
        {0x100000, 0x100000, 0, 0},          /* empty */
        {0x300000, 0x200000, 0, 0},          /* end before start */
        {0x100800, 0x200000, 0, 0},          /* not page-aligned */
        {0, 0x1000, 0, 0},                   /* at 0 */
        {0x400000, 0x400001, 0xffffffff, 0}, /* fine, text at the very end */
    };

    store(LIST_AT, module, sizeof(module));
    mb1_store((struct mb1_info){
        .flags = FLAG_MODULES, .mods_count = 5, .mods_addr = LIST_AT});
    assert_int_equal(mb1_parse(), 0);
    assert_int_equal(info.module_count, 1);
    assert_int_equal(info.module_dropped, 4);
    assert_int_equal(info.module[0].base.v, 0x400000);
    assert_string_equal(info.module[0].name, "");
}

static void mb1_too_many_modules_keep_the_first(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        const struct mb1_module m = {0x100000 + i * 0x1000,
                                     0x101000 + i * 0x1000, 0, 0};

        store(LIST_AT + i * sizeof(m), &m, sizeof(m));
    }
    mb1_store((struct mb1_info){
        .flags = FLAG_MODULES, .mods_count = 40, .mods_addr = LIST_AT});
    assert_int_equal(mb1_parse(), 0);
    assert_int_equal(info.module_count, BOOT_MODULE_COUNT_MAX);
    assert_int_equal(info.module_dropped, 40 - BOOT_MODULE_COUNT_MAX);
}

static void mb1_module_count_beyond_memory_ends(void **state)
{
    (void)state;
    mb1_store((struct mb1_info){.flags = FLAG_MODULES,
                                .mods_count = UINT32_MAX,
                                .mods_addr = 0xfffffff0u});
    assert_int_equal(mb1_parse(), 0);
    assert_int_equal(info.module_count, 0);
}

static void unknown_magic_or_null_structure_is_refused(void **state)
{
    (void)state;
    assert_int_equal(multiboot_parse(&info, 0x1234, INFO_AT), -RV_EINVAL);
    assert_int_equal(multiboot_parse(&info, MB1_LOADER_MAGIC, 0), -RV_EINVAL);
    assert_int_equal(multiboot_parse(&info, MB2_LOADER_MAGIC, 0), -RV_EINVAL);
}

/* ---- Multiboot 2 ---- */

static uint32_t mb2_end;

static void mb2_start(void)
{
    mb2_end = INFO_AT + 8;
}

static void mb2_tag(uint32_t type, const void *data, uint32_t size)
{
    const uint32_t header[2] = {type, size + 8};

    store(mb2_end, header, sizeof(header));
    store(mb2_end + 8, data, size);
    mb2_end += (size + 8 + 7) & ~7u;
}

static int mb2_parse(void)
{
    const uint32_t head[2] = {mb2_end - INFO_AT, 0};

    store(INFO_AT, head, sizeof(head));
    return multiboot_parse(&info, MB2_LOADER_MAGIC, INFO_AT);
}

static void mb2_module_tag(uint32_t start, uint32_t end, const char *text)
{
    uint8_t data[64];
    const uint32_t range[2] = {start, end};

    memcpy(data, range, sizeof(range));
    memcpy(data + 8, text, strlen(text) + 1);
    mb2_tag(TAG_MODULE, data, (uint32_t)(8 + strlen(text) + 1));
}

static void mb2_full_structure_is_understood(void **state)
{
    (void)state;
    struct {
        struct mb2_mmap head;
        struct mb2_mmap_entry entry[2];
    } map = {{sizeof(struct mb2_mmap_entry), 0},
             {{0x100000, 0x100000, 1, 0}, {0x200000, 0x1000, 5, 0}}};
    const uint8_t rsdp[36] = "RSD PTR ";

    mb2_start();
    mb2_tag(TAG_CMDLINE, "maxcpus=1", 10);
    mb2_tag(TAG_LOADER, "GRUB 2", 7);
    mb2_module_tag(0x100000, 0x100010, "manifest one");
    mb2_tag(TAG_MMAP, &map, sizeof(map));
    mb2_tag(TAG_RSDP_V1, rsdp, 20);
    mb2_tag(TAG_RSDP_V2, rsdp, 36);
    mb2_tag(TAG_END, "", 0);
    assert_int_equal(mb2_parse(), 0);
    assert_string_equal(info.cmdline, "maxcpus=1");
    assert_string_equal(info.loader, "GRUB 2");
    assert_string_equal(info.module[0].name, "manifest");
    assert_string_equal(info.module[0].args, "one");
    assert_int_equal(memmap_total(&info.memory, MEM_FREE), 0x100000);
    assert_int_equal(memmap_total(&info.memory, MEM_BAD), 0x1000);
    assert_true(info.rsdp.v != 0);
}

static void mb2_oversized_tag_ends_the_list(void **state)
{
    (void)state;
    const uint32_t huge[2] = {TAG_LOADER, 0x1000};

    mb2_start();
    mb2_tag(TAG_CMDLINE, "a=1", 4);
    store(mb2_end, huge, sizeof(huge));
    mb2_end += 16;
    assert_int_equal(mb2_parse(), 0);
    assert_string_equal(info.cmdline, "a=1");
    assert_string_equal(info.loader, "");
}

static void mb2_short_tags_are_skipped(void **state)
{
    (void)state;
    const uint32_t tiny[2] = {16, 0};

    mb2_start();
    mb2_tag(TAG_MODULE, "abc", 4);
    mb2_tag(TAG_RSDP_V2, "abc", 4);
    mb2_tag(TAG_MMAP, tiny, sizeof(tiny));
    mb2_tag(TAG_LOADER, "x", 2);
    assert_int_equal(mb2_parse(), 0);
    assert_int_equal(info.module_count, 0);
    assert_int_equal(info.memory.count, 0);
    assert_true(info.rsdp.v == 0);
    assert_string_equal(info.loader, "x");
}

static void mb2_absurd_total_is_refused(void **state)
{
    (void)state;
    const uint32_t head[2] = {0xfffffff0u, 0};

    store(INFO_AT, head, sizeof(head));
    assert_int_equal(multiboot_parse(&info, MB2_LOADER_MAGIC, INFO_AT),
                     -RV_EINVAL);
}

/* ---- ACPI ---- */

static void checksum(uint64_t at, size_t size, size_t where)
{
    uint8_t sum = 0;

    fake_ram_base[at + where] = 0;
    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + fake_ram_base[at + i]);
    }
    fake_ram_base[at + where] = (uint8_t)-sum;
}

/* Header, contents behind it, checksum. */
static void table_store(uint64_t at, const char *signature, const void *data,
                        uint32_t size)
{
    const uint32_t length = ACPI_HEADER_SIZE + size;

    store(at, signature, 4);
    store(at + TABLE_LENGTH, &length, sizeof(length));
    store(at + ACPI_HEADER_SIZE, data, size);
    checksum(at, length, 9);
}

static void root_store(void)
{
    const uint64_t xsdt = XSDT_AT;
    const uint64_t table[] = {MADT_AT, FADT_AT};

    store(RSDP_AT, "RSD PTR ", 8);
    fake_ram_base[RSDP_AT + RSDP_REVISION] = 2;
    store(RSDP_AT + RSDP_XSDT, &xsdt, sizeof(xsdt));
    checksum(RSDP_AT, RSDP_V1_SIZE, 8);
    table_store(XSDT_AT, "XSDT", table, sizeof(table));
}

static const uint8_t madt[] = {
    0,   0,  0xe0, 0xfe,
    1,   0,  0,    0, /* base, flags */
    0,   8,  0,    1,
    1,   0,  0,    0, /* CPU, id 1 */
    0,   8,  1,    BOOT_APIC_ID,
    1,   0,  0,    0, /* the boot CPU */
    0,   8,  2,    2,
    0,   0,  0,    0, /* disabled */
    0,   8,  3,    1,
    1,   0,  0,    0, /* id 1 again */
    0,   8,  4,    3,
    1,   0,  0,    0, /* id 3 */
    9,   16, 0,    0,
    0,   1,  0,    0,
    1,   0,  0,    0,
    7,   0,  0,    0, /* x2APIC id 256 */
    1,   12, 0,    0,
    0,   0,  0xc0, 0xfe,
    0,   0,  0,    0, /* I/O APIC */
    2,   10, 0,    4,
    20,  0,  0,    0,
    0xf, 0, /* IRQ 4: GSI 20, low, level */
    2,   10, 0,    99,
    1,   0,  0,    0,
    0,   0, /* IRQ out of range */
};

static void acpi_madt_lists_usable_cpus_once_boot_cpu_first(void **state)
{
    (void)state;
    root_store();
    table_store(MADT_AT, "APIC", madt, sizeof(madt));
    acpi_init(&info);
    assert_int_equal(info.rsdp.v, RSDP_AT);
    assert_int_equal(info.cpu_count, 3);
    assert_int_equal(info.apic_id[0], BOOT_APIC_ID);
    assert_int_equal(info.apic_id[1], 1);
    assert_int_equal(info.apic_id[2], 3);
    assert_int_equal(info.cpu_ignored, 1);
    assert_int_equal(acpi.lapic_base.v, 0xfee00000);
    assert_int_equal(acpi.ioapic_count, 1);
    assert_int_equal(acpi.ioapic[0].base.v, 0xfec00000);
    assert_int_equal(acpi.isa_irq[4].gsi, 20);
    assert_true(acpi.isa_irq[4].level && acpi.isa_irq[4].active_low);
    assert_int_equal(acpi.isa_irq[3].gsi, 3);
}

static void acpi_cpu_limit_and_x2apic_are_respected(void **state)
{
    (void)state;
    root_store();
    table_store(MADT_AT, "APIC", madt, sizeof(madt));
    x2 = true;
    acpi_init(&info);
    assert_int_equal(info.cpu_count, 4);
    assert_int_equal(info.apic_id[3], 256);
    memory_reset(state);
    root_store();
    table_store(MADT_AT, "APIC", madt, sizeof(madt));
    info.options.cpu_limit = 2;
    acpi_init(&info);
    assert_int_equal(info.cpu_count, 2);
    assert_int_equal(info.cpu_ignored, 2);
}

static void acpi_damaged_table_counts_as_absent(void **state)
{
    (void)state;
    root_store();
    table_store(MADT_AT, "APIC", madt, sizeof(madt));
    fake_ram_base[MADT_AT + 50] ^= 1;
    acpi_init(&info);
    assert_int_equal(info.cpu_count, 1);
    assert_false(acpi.present);
}

static void acpi_zero_length_entry_ends_the_list(void **state)
{
    (void)state;
    uint8_t broken[sizeof(madt)];

    memcpy(broken, madt, sizeof(madt));
    broken[8 + 8 + 1] = 0;
    root_store();
    table_store(MADT_AT, "APIC", broken, sizeof(broken));
    acpi_init(&info);
    assert_int_equal(info.cpu_count, 2);
}

static void acpi_no_tables_leave_one_cpu(void **state)
{
    (void)state;
    acpi_init(&info);
    assert_int_equal(info.rsdp.v, 0);
    assert_int_equal(info.cpu_count, 1);
    assert_int_equal(acpi.isa_irq[4].gsi, 4);
}

static void fadt_store(void)
{
    uint8_t fadt[244 - ACPI_HEADER_SIZE] = {0};
    const uint32_t dsdt = DSDT_AT;
    const uint32_t timer = 0x608;
    const uint32_t control = 0x604;

    memcpy(fadt + FADT_DSDT - ACPI_HEADER_SIZE, &dsdt, 4);
    memcpy(fadt + FADT_PM_TIMER - ACPI_HEADER_SIZE, &timer, 4);
    memcpy(fadt + FADT_PM1A_CONTROL - ACPI_HEADER_SIZE, &control, 4);
    root_store();
    table_store(FADT_AT, "FACP", fadt, sizeof(fadt));
}

static void acpi_soft_off_is_found_in_each_encoding(void **state)
{
    static const struct {
        uint8_t aml[24];
        uint32_t size;
        uint8_t a, b;
    } c[] = {
        {"\x08_S5_\x12\x06\x04\x00\x00\x00\x00", 12, 0, 0},
        {"\x08_S5_\x12\x07\x02\x0a\x05\x0a\x06\x00", 13, 5, 6},
        {"\x08\\_S5_\x12\x46\x00\x04\x01\x0a\x07\x00\x00", 15, 1, 7},
    };

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        memory_reset(state);
        fadt_store();
        table_store(DSDT_AT, "DSDT", c[i].aml, c[i].size);
        acpi_init(&info);
        assert_true(acpi.s5_valid);
        assert_int_equal(acpi.s5_type_a, c[i].a);
        assert_int_equal(acpi.s5_type_b, c[i].b);
        assert_int_equal(acpi.pm_timer_port, 0x608);
        assert_int_equal(acpi.pm1a_control, 0x604);
    }
}

static void acpi_soft_off_cut_or_odd_is_not_valid(void **state)
{
    static const struct {
        uint8_t aml[24];
        uint32_t size;
    } c[] = {
        {"\x08_S5_\x12\x06\x04\x0b\x01\x02\x00", 12}, /* a word */
        {"\x08_S5_\x11\x06\x04\x00\x00\x00\x00", 12}, /* no package */
        {"\x08_S5_\x12\x06\x01\x00\x00\x00\x00", 12}, /* one element */
        {"\x08_S6_\x12\x06\x04\x00\x00\x00\x00", 12},
        {"x_S5_\x12\x06\x04\x00\x00\x00\x00", 12}, /* not a definition */
    };

    for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
        memory_reset(state);
        fadt_store();
        table_store(DSDT_AT, "DSDT", c[i].aml, c[i].size);
        acpi_init(&info);
        assert_false(acpi.s5_valid);
    }
}

static void acpi_table_pointers_out_of_reach_are_ignored(void **state)
{
    (void)state;
    const uint64_t far_away[] = {0x100000000UL, UINT64_MAX - 4, 0xfffffff0UL};

    root_store();
    table_store(XSDT_AT, "XSDT", far_away, sizeof(far_away));
    acpi_init(&info);
    assert_false(acpi.present);
}

#define CASE(name) cmocka_unit_test_setup(name, memory_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(mb1_full_structure_is_understood),
        CASE(mb1_command_line_without_file_name_is_kept),
        CASE(mb1_without_map_uses_the_sizes),
        CASE(mb1_absurd_map_entry_ends_the_map),
        CASE(mb1_unusable_modules_are_dropped_and_counted),
        CASE(mb1_too_many_modules_keep_the_first),
        CASE(mb1_module_count_beyond_memory_ends),
        CASE(unknown_magic_or_null_structure_is_refused),
        CASE(mb2_full_structure_is_understood),
        CASE(mb2_oversized_tag_ends_the_list),
        CASE(mb2_short_tags_are_skipped),
        CASE(mb2_absurd_total_is_refused),
        CASE(acpi_madt_lists_usable_cpus_once_boot_cpu_first),
        CASE(acpi_cpu_limit_and_x2apic_are_respected),
        CASE(acpi_damaged_table_counts_as_absent),
        CASE(acpi_zero_length_entry_ends_the_list),
        CASE(acpi_no_tables_leave_one_cpu),
        CASE(acpi_soft_off_is_found_in_each_encoding),
        CASE(acpi_soft_off_cut_or_odd_is_not_valid),
        CASE(acpi_table_pointers_out_of_reach_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
