/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain builder: everything a guest finds at its entry point, read back
 * from its memory; each reason not to build; and every allocation failing in
 * turn.
 */
#include "platform_fixture.h"

#include <stdlib.h>

#include "elf_image.h"

#include "platform/pvh_private.h"
#include "public/hvm/e820.h"
#include "public/hvm/params.h"
#include "public/hvm/start_info.h"
#include "public/xen.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"
#include "ravelin/memory_map.h"
#include "ravelin/p2m.h"
#include "ravelin/vioapic.h"

#define MIB (1UL << 20)
#define MEMORY (8 * MIB)
#define RAMDISK_SIZE 5000u

static uint8_t kernel[ELF_IMAGE_SIZE];
static uint8_t ramdisk[RAMDISK_SIZE];
static struct domain *dom;
static struct pvh_build request;

static struct domain *domain_new(uint32_t roles, uint64_t memory)
{
    const struct domain_config cfg = {
        .name = "built",
        .id = DOMID_INVALID,
        .roles = roles,
        .vcpu_count = 2,
        .max_pages = (memory >> PAGE_SHIFT) + 16,
    };
    struct domain *d = NULL;

    assert_int_equal(domain_create(&cfg, &d), 0);
    return d;
}

static int case_setup(void **state)
{
    struct elf_image_plan plan = elf_image_default(ELFCLASS64);

    (void)state;
    elf_image_make(kernel, &plan);
    for (unsigned i = 0; i < RAMDISK_SIZE; i++) {
        ramdisk[i] = (uint8_t)(i * 3 + 1);
    }
    request = (struct pvh_build){
        .kernel = kernel,
        .kernel_size = sizeof(kernel),
        .ramdisk = ramdisk,
        .ramdisk_size = sizeof(ramdisk),
        .cmdline = "console=hvc0 quiet",
        .memory = MEMORY,
    };
    dom = domain_new(0, MEMORY);
    return 0;
}

static int case_end(void **state)
{
    (void)state;
    frame_pool_fail_after(-1);
    platform_domain_destroy(dom);
    return 0;
}

static int group_setup(void **state)
{
    int rc = platform_setup(state);

    platform_cpuid_use(CPUID_VENDOR_AMD);
    return rc;
}

static void rebuild_as(uint32_t roles, uint64_t memory)
{
    platform_domain_destroy(dom);
    dom = domain_new(roles, memory);
    request.memory = memory;
}

static void build(void)
{
    assert_int_equal(pvh_build_domain(dom, &request), 0);
}

static void mem(uint64_t at, void *to, size_t n)
{
    assert_int_equal(guest_phys_read(dom, to, gpa(at), n), 0);
}

static uint64_t start_info_at(void)
{
    return dom->vcpu[0]->regs.gpr[REG_RBX];
}

static struct hvm_start_info start_info(void)
{
    struct hvm_start_info info;

    mem(start_info_at(), &info, sizeof(info));
    assert_int_equal(info.magic, XEN_HVM_START_MAGIC_VALUE);
    return info;
}

static bool is_zero(uint64_t at, uint64_t n)
{
    uint8_t byte;

    for (uint64_t i = 0; i < n; i++) {
        mem(at + i, &byte, 1);
        if (byte != 0) {
            return false;
        }
    }
    return true;
}

/* ---- What a guest finds ---- */

static void build_loads_segments_at_their_addresses(void **state)
{
    uint8_t got[0x800];

    (void)state;
    build();
    mem(0x100000, got, 0x800);
    assert_memory_equal(got, kernel + ELF_IMAGE_DATA_AT, 0x800);
    mem(0x110000, got, 0x400);
    assert_memory_equal(got, kernel + ELF_IMAGE_DATA_AT + 0x800, 0x400);
    assert_true(is_zero(0x110400, 0x2c00));
    assert_true(is_zero(0x0ff000, 0x1000));
}

static void build_start_info_describes_the_boot(void **state)
{
    struct hvm_start_info info;
    char text[32];

    (void)state;
    build();
    info = start_info();
    assert_int_equal(info.version, 1);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.reserved, 0);
    assert_int_equal(info.rsdp_paddr, PVH_ACPI_GFN << PAGE_SHIFT);
    mem(info.cmdline_paddr, text, 19);
    assert_string_equal(text, "console=hvc0 quiet");
    mem(info.rsdp_paddr, text, 8);
    assert_memory_equal(text, "RSD PTR ", 8);
}

static void build_places_ramdisk_high_and_lists_it(void **state)
{
    struct hvm_start_info info;
    struct hvm_modlist_entry module;
    uint8_t got[RAMDISK_SIZE];

    (void)state;
    build();
    info = start_info();
    assert_int_equal(info.nr_modules, 1);
    mem(info.modlist_paddr, &module, sizeof(module));
    assert_int_equal(module.size, RAMDISK_SIZE);
    assert_int_equal(module.paddr, MEMORY - 2 * PAGE_SIZE);
    assert_int_equal(module.cmdline_paddr, 0);
    mem(module.paddr, got, RAMDISK_SIZE);
    assert_memory_equal(got, ramdisk, RAMDISK_SIZE);
    assert_in_range(start_info_at(), 0x113000, module.paddr - PAGE_SIZE);
}

static void build_without_ramdisk_has_no_modules(void **state)
{
    struct hvm_start_info info;

    (void)state;
    request.ramdisk = NULL;
    request.ramdisk_size = 0;
    build();
    info = start_info();
    assert_int_equal(info.nr_modules, 0);
    assert_int_equal(info.modlist_paddr, 0);
}

static void build_memory_map_is_told_twice_alike(void **state)
{
    struct hvm_start_info info;
    struct hvm_memmap_table_entry map[4];
    struct xen_e820_entry e820;

    (void)state;
    build();
    info = start_info();
    assert_int_equal(info.memmap_entries, 3);
    mem(info.memmap_paddr, map, 3 * sizeof(map[0]));
    assert_int_equal(map[0].addr, 0);
    assert_int_equal(map[0].size, MEMORY);
    assert_int_equal(map[0].type, XEN_HVM_MEMMAP_TYPE_RAM);
    assert_int_equal(map[1].addr, PVH_ACPI_GFN << PAGE_SHIFT);
    assert_int_equal(map[1].type, XEN_HVM_MEMMAP_TYPE_ACPI);
    assert_int_equal(map[2].addr, map[1].addr + map[1].size);
    assert_int_equal(map[2].addr + map[2].size, PVH_SPECIAL_END);
    assert_int_equal(map[2].type, XEN_HVM_MEMMAP_TYPE_RESERVED);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(memory_map_entry(dom, i, &e820));
        assert_int_equal(e820.addr, map[i].addr);
        assert_int_equal(e820.size, map[i].size);
        assert_int_equal(e820.type, map[i].type);
    }
    assert_false(memory_map_entry(dom, 3, &e820));
}

static void build_first_vcpu_is_at_the_pvh_entry(void **state)
{
    struct vcpu *v = dom->vcpu[0];
    struct vcpu_segment s;

    (void)state;
    build();
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
    assert_int_equal(dom->vcpu[1]->flags & VCPU_DOWN, VCPU_DOWN);
    assert_int_equal(dom->state, DOMAIN_BUILDING);
}

static void build_uses_superpages(void **state)
{
    (void)state;
    build();
    for (uint64_t g = 0; g < MEMORY >> PAGE_SHIFT; g += 512) {
        struct p2m_entry e = p2m_lookup(&dom->p2m, gfn(g));

        assert_int_equal(e.type, P2M_RAM);
        assert_int_equal(e.level, 2);
    }
    assert_int_equal(dom->page_count, (MEMORY >> PAGE_SHIFT) + 1);
}

static void build_odd_size_ends_exactly(void **state)
{
    uint64_t pages = (2 * MIB + 5 * PAGE_SIZE) >> PAGE_SHIFT;

    (void)state;
    rebuild_as(0, pages << PAGE_SHIFT);
    build();
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(pages - 1)).type, P2M_RAM);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(pages)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(pages - 1)).level, 1);
}

static void build_leaves_apic_pages_unmapped(void **state)
{
    (void)state;
    build();
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0xfee00)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0xfec00)).type, P2M_NONE);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(PVH_CONSOLE_GFN)).type,
                     P2M_NONE);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(PVH_IDENT_PT_GFN)).type,
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
        rebuild_as(expected[i].roles, MEMORY);
        build();
        assert_int_equal(start_info().flags, expected[i].flags);
    }
}

static void build_console_ring_is_attached(void **state)
{
    (void)state;
    request.console = true;
    request.console_ring = true;
    build();
    assert_non_null(dom->console);
    assert_int_equal(dom->hvm_param[HVM_PARAM_CONSOLE_PFN], PVH_CONSOLE_GFN);
    assert_int_not_equal(dom->hvm_param[HVM_PARAM_CONSOLE_EVTCHN], 0);
    assert_int_equal(dom->hvm_param[HVM_PARAM_STORE_PFN], 0);
}

static void build_serial_port_is_passed_through(void **state)
{
    (void)state;
    rebuild_as(ROLE_HARDWARE, MEMORY);
    request.serial_port = true;
    build();
    assert_non_null(dom->vioapic);
    for (uint16_t port = 0x3f8; port < 0x400; port++) {
        assert_true(fake_io_is_open(dom, port));
    }
    assert_false(fake_io_is_open(dom, 0x3f7));
    assert_false(fake_io_is_open(dom, 0x400));
}

static void build_plain_domain_has_no_ports(void **state)
{
    (void)state;
    build();
    assert_null(dom->vioapic);
    assert_false(fake_io_is_open(dom, 0x3f8));
}

static void build_vm86_pages_are_filled(void **state)
{
    uint32_t entry;
    uint16_t io_base;
    uint64_t tss = PVH_VM86_TSS_GFN << PAGE_SHIFT;
    uint8_t byte;

    (void)state;
    request.vm86_pages = true;
    build();
    assert_int_equal(dom->hvm_param[HVM_PARAM_IDENT_PT],
                     PVH_IDENT_PT_GFN << PAGE_SHIFT);
    for (uint32_t i = 0; i < 1024; i++) {
        mem((PVH_IDENT_PT_GFN << PAGE_SHIFT) + 4 * i, &entry, 4);
        assert_int_equal(entry, i << 22 | 0xe7);
    }
    assert_int_equal(dom->hvm_param[HVM_PARAM_VM86_TSS], tss);
    assert_int_equal(dom->hvm_param[HVM_PARAM_VM86_TSS_SIZED],
                     (104UL + 32 + 8192 + 1) << 32 | tss);
    mem(tss + 102, &io_base, 2);
    assert_int_equal(io_base, 136);
    mem(tss + 136 + 8192, &byte, 1);
    assert_int_equal(byte, 0xff);
}

/* ---- Layout of large domains ---- */

static void layout_large_memory_continues_above_4_gib(void **state)
{
    struct elf_image image;
    struct pvh_layout l;
    const char *why;

    (void)state;
    assert_int_equal(elf_parse(kernel, sizeof(kernel), &image, &why), 0);
    request.memory = 5UL << 30;
    assert_int_equal(pvh_layout_compute(&request, &image, &l, &why), 0);
    assert_int_equal(l.low_end, PVH_RAM_LOW_END);
    assert_int_equal(l.high_end - PVH_RAM_HIGH, (5UL << 30) - PVH_RAM_LOW_END);
    assert_in_range(l.ramdisk, 1, PVH_RAM_LOW_END - RAMDISK_SIZE);
    request.memory = PVH_RAM_LOW_END;
    assert_int_equal(pvh_layout_compute(&request, &image, &l, &why), 0);
    assert_int_equal(l.high_end, PVH_RAM_HIGH);
}

/* ---- Reasons not to build ---- */

static void build_bad_kernel_is_enoexec(void **state)
{
    (void)state;
    kernel[0] = 0;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_ENOEXEC);
    assert_int_equal(dom->page_count, 0);
}

static void build_kernel_beyond_memory_is_e2big(void **state)
{
    struct elf_image_plan plan = elf_image_default(ELFCLASS64);

    (void)state;
    plan.paddr[1] = MEMORY;
    elf_image_make(kernel, &plan);
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
    plan.paddr[1] = MEMORY - 0x3000; /* where ramdisk and start info go */
    elf_image_make(kernel, &plan);
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
    assert_int_equal(dom->page_count, 0);
}

static void build_large_ramdisk_is_e2big(void **state)
{
    (void)state;
    request.ramdisk_size = MEMORY + 1;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
    request.ramdisk_size = MEMORY;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
    request.ramdisk_size = MEMORY - 4096;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
    request.ramdisk_size = SIZE_MAX;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
    assert_int_equal(dom->page_count, 0);
}

static void build_bad_request_is_einval(void **state)
{
    static char longest[PVH_CMDLINE_MAX + 1];

    (void)state;
    request.memory = MEMORY + 1;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_EINVAL);
    request.memory = MIB - PAGE_SIZE;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_EINVAL);
    request.memory = MEMORY;
    memset(longest, 'x', PVH_CMDLINE_MAX);
    request.cmdline = longest;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_EINVAL);
    request.cmdline = NULL;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_EINVAL);
}

static void build_running_domain_is_esrch(void **state)
{
    (void)state;
    build();
    assert_int_equal(domain_unpause(dom), 0);
    assert_int_equal(pvh_build_domain(dom, &request), -RV_ESRCH);
}

static void build_beyond_max_pages_is_e2big(void **state)
{
    (void)state;
    request.memory = 16 * MIB;
    assert_int_equal(pvh_build_domain(dom, &request), -RV_E2BIG);
}

static void build_without_machine_memory_is_enomem(void **state)
{
    (void)state;
    rebuild_as(0, 128 * MIB); /* the machine has 64 */
    assert_int_equal(pvh_build_domain(dom, &request), -RV_ENOMEM);
}

static uint64_t build_with_everything(int64_t fail_after, int *rc)
{
    uint64_t before;

    rebuild_as(ROLE_HARDWARE, MEMORY);
    request.console = true;
    request.console_ring = true;
    request.serial_port = true;
    request.vm86_pages = true;
    before = frame_alloc_count();
    frame_pool_fail_after(fail_after);
    *rc = pvh_build_domain(dom, &request);
    frame_pool_fail_after(-1);
    return frame_alloc_count() - before;
}

/* The builder itself cleans nothing up: what a failed build leaves, the
 * domain's destruction returns (checked at the end of the group). Where a
 * superpage is refused, small pages do. */
static void build_every_allocation_failing_is_survived(void **state)
{
    unsigned failed = 0;
    uint64_t count;
    int rc;

    (void)state;
    count = build_with_everything(-1, &rc);
    assert_int_equal(rc, 0);
    assert_in_range(count, 20, 1000);
    for (uint64_t n = 0; n < count; n++) {
        (void)build_with_everything((int64_t)n, &rc);
        if (rc != 0) {
            failed++;
            assert_true(rc == -RV_ENOMEM || rc == -RV_EFAULT);
            assert_int_equal(dom->vcpu[0]->flags & VCPU_DOWN, VCPU_DOWN);
        } else {
            assert_int_equal(p2m_lookup(&dom->p2m, gfn(0)).type, P2M_RAM);
        }
    }
    assert_in_range(failed, count / 2, count - 1);
}

static void build_without_superpages_uses_small_ones(void **state)
{
    int rc;

    (void)state;
    (void)build_with_everything(0, &rc);
    assert_int_equal(rc, 0);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(0)).level, 1);
    assert_int_equal(p2m_lookup(&dom->p2m, gfn(512)).level, 2);
}

/* ---- From the manifest ---- */

static struct manifest_domain plan_domain(void)
{
    struct manifest_domain m;

    manifest_domain_init(&m);
    strcpy(m.name, "built");
    strcpy(m.kernel, "k");
    strcpy(m.ramdisk, "r");
    strcpy(m.cmdline, "quiet");
    m.memory = MEMORY;
    return m;
}

static struct boot_info *plan_boot(void **kernel_page, void **ramdisk_page)
{
    struct boot_info *info = calloc(1, sizeof(*info));

    *kernel_page = pages_alloc(1);
    *ramdisk_page = pages_alloc(1);
    memcpy(*kernel_page, kernel, sizeof(kernel));
    memcpy(*ramdisk_page, ramdisk, sizeof(ramdisk));
    info->module_count = 2;
    strcpy(info->module[0].name, "k");
    info->module[0].base = host_pa(*kernel_page);
    info->module[0].size = sizeof(kernel);
    strcpy(info->module[1].name, "r");
    info->module[1].base = host_pa(*ramdisk_page);
    info->module[1].size = sizeof(ramdisk);
    return info;
}

static void build_manifest_finds_modules_by_name(void **state)
{
    struct manifest_domain m = plan_domain();
    void *kernel_page;
    void *ramdisk_page;
    struct boot_info *info = plan_boot(&kernel_page, &ramdisk_page);
    struct hvm_modlist_entry module;
    uint8_t got[16];

    (void)state;
    m.console = MANIFEST_CONSOLE_NONE;
    assert_int_equal(pvh_build_manifest(dom, &m, info), 0);
    mem(start_info().modlist_paddr, &module, sizeof(module));
    mem(module.paddr, got, sizeof(got));
    assert_memory_equal(got, ramdisk, sizeof(got));
    assert_null(dom->console);
    pages_free(kernel_page, 1);
    pages_free(ramdisk_page, 1);
    free(info);
}

static void build_manifest_missing_module_is_enoent(void **state)
{
    struct manifest_domain m = plan_domain();
    void *kernel_page;
    void *ramdisk_page;
    struct boot_info *info = plan_boot(&kernel_page, &ramdisk_page);

    (void)state;
    strcpy(m.ramdisk, "absent");
    assert_int_equal(pvh_build_manifest(dom, &m, info), -RV_ENOENT);
    strcpy(m.kernel, "absent");
    m.ramdisk[0] = '\0';
    assert_int_equal(pvh_build_manifest(dom, &m, info), -RV_ENOENT);
    assert_int_equal(dom->page_count, 0);
    pages_free(kernel_page, 1);
    pages_free(ramdisk_page, 1);
    free(info);
}

static void build_manifest_serial_needs_the_hardware_role(void **state)
{
    struct manifest_domain m = plan_domain();
    void *kernel_page;
    void *ramdisk_page;
    struct boot_info *info = plan_boot(&kernel_page, &ramdisk_page);

    (void)state;
    m.console = MANIFEST_CONSOLE_SERIAL;
    assert_int_equal(pvh_build_manifest(dom, &m, info), 0);
    assert_false(fake_io_is_open(dom, 0x3f8));
    rebuild_as(ROLE_HARDWARE, MEMORY);
    assert_int_equal(pvh_build_manifest(dom, &m, info), 0);
    assert_true(fake_io_is_open(dom, 0x3f8));
    pages_free(kernel_page, 1);
    pages_free(ramdisk_page, 1);
    free(info);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, case_setup, case_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(build_loads_segments_at_their_addresses),
        CASE(build_start_info_describes_the_boot),
        CASE(build_places_ramdisk_high_and_lists_it),
        CASE(build_without_ramdisk_has_no_modules),
        CASE(build_memory_map_is_told_twice_alike),
        CASE(build_first_vcpu_is_at_the_pvh_entry),
        CASE(build_uses_superpages),
        CASE(build_odd_size_ends_exactly),
        CASE(build_leaves_apic_pages_unmapped),
        CASE(build_flags_follow_the_roles),
        CASE(build_console_ring_is_attached),
        CASE(build_serial_port_is_passed_through),
        CASE(build_plain_domain_has_no_ports),
        CASE(build_vm86_pages_are_filled),
        CASE(layout_large_memory_continues_above_4_gib),
        CASE(build_bad_kernel_is_enoexec),
        CASE(build_kernel_beyond_memory_is_e2big),
        CASE(build_large_ramdisk_is_e2big),
        CASE(build_bad_request_is_einval),
        CASE(build_running_domain_is_esrch),
        CASE(build_beyond_max_pages_is_e2big),
        CASE(build_without_machine_memory_is_enomem),
        CASE(build_every_allocation_failing_is_survived),
        CASE(build_without_superpages_uses_small_ones),
        CASE(build_manifest_finds_modules_by_name),
        CASE(build_manifest_missing_module_is_enoent),
        CASE(build_manifest_serial_needs_the_hardware_role),
    };

    return cmocka_run_group_tests(tests, group_setup, platform_teardown);
}
