/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain builder: everything a guest finds at its entry point, read back
 * from its memory.
 */
#include "pvh_fixture.h"

#include "public/hvm/e820.h"
#include "public/hvm/params.h"
#include "public/xen.h"
#include "ravelin/memory_map.h"
#include "ravelin/p2m.h"
#include "ravelin/vioapic.h"

static uint64_t start_info_at(void)
{
    return pt_domain->vcpu[0]->regs.gpr[REG_RBX];
}

static bool is_zero(uint64_t at, uint64_t n)
{
    uint8_t byte;

    for (uint64_t i = 0; i < n; i++) {
        pt_read(at + i, &byte, 1);
        if (byte != 0) {
            return false;
        }
    }
    return true;
}

static void build_loads_segments_at_their_addresses(void **state)
{
    uint8_t got[0x800];

    (void)state;
    pt_build();
    pt_read(0x100000, got, 0x800);
    assert_memory_equal(got, pt_kernel + ELF_IMAGE_DATA_AT, 0x800);
    pt_read(0x110000, got, 0x400);
    assert_memory_equal(got, pt_kernel + ELF_IMAGE_DATA_AT + 0x800, 0x400);
    assert_true(is_zero(0x110400, 0x2c00));
    assert_true(is_zero(0x0ff000, 0x1000));
}

static void build_start_info_describes_the_boot(void **state)
{
    struct hvm_start_info info;
    char text[32];

    (void)state;
    pt_build();
    info = pt_start_info();
    assert_int_equal(info.version, 1);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.reserved, 0);
    assert_int_equal(info.rsdp_paddr, PVH_ACPI_GFN << PAGE_SHIFT);
    pt_read(info.cmdline_paddr, text, 19);
    assert_string_equal(text, "console=hvc0 quiet");
    pt_read(info.rsdp_paddr, text, 8);
    assert_memory_equal(text, "RSD PTR ", 8);
}

static void build_places_ramdisk_high_and_lists_it(void **state)
{
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    uint8_t got[PT_RAMDISK_SIZE];

    (void)state;
    pt_build();
    info = pt_start_info();
    assert_int_equal(info.nr_modules, 1);
    pt_read(info.modlist_paddr, &module, sizeof(module));
    assert_int_equal(module.size, PT_RAMDISK_SIZE);
    assert_int_equal(module.paddr, PT_MEMORY - 2 * PAGE_SIZE);
    assert_int_equal(module.cmdline_paddr, 0);
    pt_read(module.paddr, got, PT_RAMDISK_SIZE);
    assert_memory_equal(got, pt_ramdisk, PT_RAMDISK_SIZE);
    assert_in_range(start_info_at(), 0x113000, module.paddr - PAGE_SIZE);
}

static void build_without_ramdisk_has_no_modules(void **state)
{
    struct hvm_start_info info;

    (void)state;
    pt_request.ramdisk = NULL;
    pt_request.ramdisk_size = 0;
    pt_build();
    info = pt_start_info();
    assert_int_equal(info.nr_modules, 0);
    assert_int_equal(info.modlist_paddr, 0);
}

static void build_memory_map_is_told_twice_alike(void **state)
{
    struct hvm_start_info info;
    struct hvm_memmap_table_entry map[4];
    struct xen_e820_entry e820;

    (void)state;
    pt_build();
    info = pt_start_info();
    assert_int_equal(info.memmap_entries, 3);
    pt_read(info.memmap_paddr, map, 3 * sizeof(map[0]));
    assert_int_equal(map[0].addr, 0);
    assert_int_equal(map[0].size, PT_MEMORY);
    assert_int_equal(map[0].type, XEN_HVM_MEMMAP_TYPE_RAM);
    assert_int_equal(map[1].addr, PVH_ACPI_GFN << PAGE_SHIFT);
    assert_int_equal(map[1].type, XEN_HVM_MEMMAP_TYPE_ACPI);
    assert_int_equal(map[2].addr, map[1].addr + map[1].size);
    assert_int_equal(map[2].addr + map[2].size, PVH_SPECIAL_END);
    assert_int_equal(map[2].type, XEN_HVM_MEMMAP_TYPE_RESERVED);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(memory_map_entry(pt_domain, i, &e820));
        assert_int_equal(e820.addr, map[i].addr);
        assert_int_equal(e820.size, map[i].size);
        assert_int_equal(e820.type, map[i].type);
    }
    assert_false(memory_map_entry(pt_domain, 3, &e820));
}

static void build_first_vcpu_is_at_the_pvh_entry(void **state)
{
    struct vcpu *v = pt_domain->vcpu[0];
    struct vcpu_segment s;

    (void)state;
    pt_build();
    assert_int_equal(v->regs.rip, 0x100040);
    assert_int_equal(v->regs.rflags, 2);
    assert_int_equal(v->regs.gpr[REG_RAX] | v->regs.gpr[REG_RSP], 0);
    assert_int_equal(hv->creg_get(v, CREG_CR0), 0x11);
    assert_int_equal(hv->creg_get(v, CREG_CR4), 0);
    assert_int_equal(hv->creg_get(v, CREG_EFER), 0);
    hv->segment_get(v, SEG_CS, &s);
    assert_int_equal(s.attr, 0xc9b);
    assert_int_equal(s.base, 0);
    assert_int_equal(s.limit, 0xffffffff);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
        hv->segment_get(v, (enum seg_index)i, &s);
        assert_int_equal(s.base, 0);
        assert_int_equal(s.limit, 0xffffffff);
        assert_int_equal(s.attr, i == SEG_CS ? 0xc9b : 0xc93);
    }
    hv->segment_get(v, SEG_TR, &s);
    assert_int_equal(s.attr, 0x8b);
    assert_int_equal(s.limit, 0x67);
    assert_int_equal(v->flags & VCPU_DOWN, 0);
    assert_int_equal(pt_domain->vcpu[1]->flags & VCPU_DOWN, VCPU_DOWN);
    assert_int_equal(pt_domain->state, DOMAIN_BUILDING);
}

static void build_uses_superpages(void **state)
{
    (void)state;
    pt_build();
    for (uint64_t g = 0; g < PT_MEMORY >> PAGE_SHIFT; g += 512) {
        struct p2m_entry e = p2m_lookup(&pt_domain->p2m, gfn(g));

        assert_int_equal(e.type, P2M_RAM);
        assert_int_equal(e.level, 2);
    }
    assert_int_equal(pt_domain->page_count, (PT_MEMORY >> PAGE_SHIFT) + 1);
}

static void build_odd_size_ends_exactly(void **state)
{
    uint64_t pages = (2 * PT_MIB + 5 * PAGE_SIZE) >> PAGE_SHIFT;

    (void)state;
    pt_rebuild_as(0, pages << PAGE_SHIFT);
    pt_build();
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(pages - 1)).type, P2M_RAM);
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(pages)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(pages - 1)).level, 1);
}

static void build_leaves_apic_pages_unmapped(void **state)
{
    (void)state;
    pt_build();
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(0xfee00)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(0xfec00)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(PVH_CONSOLE_GFN)).type,
                     P2M_NONE);
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(PVH_IDENT_PT_GFN)).type,
                     P2M_NONE);
}

static void build_flags_follow_the_roles(void **state)
{
    static const struct {
        uint32_t roles;
        uint32_t flags;
    } expected[] = {
        {0, 0},
        {ROLE_MONITOR, 0},
        {ROLE_CONTROL, SIF_PRIVILEGED},
        {ROLE_HARDWARE, SIF_PRIVILEGED | SIF_INITDOMAIN},
        {ROLE_HARDWARE | ROLE_CONTROL, SIF_PRIVILEGED | SIF_INITDOMAIN},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        pt_rebuild_as(expected[i].roles, PT_MEMORY);
        pt_build();
        assert_int_equal(pt_start_info().flags, expected[i].flags);
    }
}

static void build_console_ring_is_attached(void **state)
{
    (void)state;
    pt_request.console = true;
    pt_request.console_ring = true;
    pt_build();
    assert_non_null(pt_domain->console);
    assert_int_equal(pt_domain->hvm_param[HVM_PARAM_CONSOLE_PFN],
                     PVH_CONSOLE_GFN);
    assert_int_not_equal(pt_domain->hvm_param[HVM_PARAM_CONSOLE_EVTCHN], 0);
    assert_int_equal(pt_domain->hvm_param[HVM_PARAM_STORE_PFN], 0);
}

static void build_serial_port_is_passed_through(void **state)
{
    (void)state;
    pt_rebuild_as(ROLE_HARDWARE, PT_MEMORY);
    pt_request.serial_port = true;
    pt_build();
    assert_non_null(pt_domain->vioapic);
    for (uint16_t port = 0x3f8; port < 0x400; port++) {
        assert_true(fake_io_is_open(pt_domain, port));
    }
    assert_false(fake_io_is_open(pt_domain, 0x3f7));
    assert_false(fake_io_is_open(pt_domain, 0x400));
}

static void build_plain_domain_has_no_ports(void **state)
{
    (void)state;
    pt_build();
    assert_null(pt_domain->vioapic);
    assert_false(fake_io_is_open(pt_domain, 0x3f8));
}

static void build_vm86_pages_are_filled(void **state)
{
    uint32_t entry;
    uint16_t io_base;
    uint64_t tss = PVH_VM86_TSS_GFN << PAGE_SHIFT;
    uint8_t byte;

    (void)state;
    pt_request.vm86_pages = true;
    pt_build();
    assert_int_equal(pt_domain->hvm_param[HVM_PARAM_IDENT_PT],
                     PVH_IDENT_PT_GFN << PAGE_SHIFT);
    for (uint32_t i = 0; i < 1024; i++) {
        pt_read((PVH_IDENT_PT_GFN << PAGE_SHIFT) + 4 * i, &entry, 4);
        assert_int_equal(entry, i << 22 | 0xe7);
    }
    assert_int_equal(pt_domain->hvm_param[HVM_PARAM_VM86_TSS], tss);
    assert_int_equal(pt_domain->hvm_param[HVM_PARAM_VM86_TSS_SIZED],
                     (104UL + 32 + 8192 + 1) << 32 | tss);
    pt_read(tss + 102, &io_base, 2);
    assert_int_equal(io_base, 136);
    pt_read(tss + 136 + 8192, &byte, 1);
    assert_int_equal(byte, 0xff);
}

/* ---- Layout of large domains ---- */

static void layout_large_memory_continues_above_4_gib(void **state)
{
    struct elf_image image;
    struct pvh_layout l;
    const char *why;

    (void)state;
    assert_int_equal(elf_parse(pt_kernel, sizeof(pt_kernel), &image, &why), 0);
    pt_request.memory = 5UL << 30;
    assert_int_equal(pvh_layout_compute(&pt_request, &image, &l, &why), 0);
    assert_int_equal(l.low_end, PVH_RAM_LOW_END);
    assert_int_equal(l.high_end - PVH_RAM_HIGH, (5UL << 30) - PVH_RAM_LOW_END);
    assert_in_range(l.ramdisk, 1, PVH_RAM_LOW_END - PT_RAMDISK_SIZE);
    pt_request.memory = PVH_RAM_LOW_END;
    assert_int_equal(pvh_layout_compute(&pt_request, &image, &l, &why), 0);
    assert_int_equal(l.high_end, PVH_RAM_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PT_CASE(build_loads_segments_at_their_addresses),
        PT_CASE(build_start_info_describes_the_boot),
        PT_CASE(build_places_ramdisk_high_and_lists_it),
        PT_CASE(build_without_ramdisk_has_no_modules),
        PT_CASE(build_memory_map_is_told_twice_alike),
        PT_CASE(build_first_vcpu_is_at_the_pvh_entry),
        PT_CASE(build_uses_superpages),
        PT_CASE(build_odd_size_ends_exactly),
        PT_CASE(build_leaves_apic_pages_unmapped),
        PT_CASE(build_flags_follow_the_roles),
        PT_CASE(build_console_ring_is_attached),
        PT_CASE(build_serial_port_is_passed_through),
        PT_CASE(build_plain_domain_has_no_ports),
        PT_CASE(build_vm86_pages_are_filled),
        PT_CASE(layout_large_memory_continues_above_4_gib),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
