/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains built as the manifest says: modules found by name, and what a role
 * must allow.
 */
#include "pvh_fixture.h"

#include <stdlib.h>

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"

static struct manifest_domain plan_domain(void)
{
    struct manifest_domain m;

    manifest_domain_init(&m);
    strcpy(m.name, "built");
    strcpy(m.kernel, "k");
    strcpy(m.ramdisk, "r");
    strcpy(m.cmdline, "quiet");
    m.memory = PT_MEMORY;
    return m;
}

static struct boot_info *plan_boot(void **kernel_page, void **ramdisk_page)
{
    struct boot_info *info = calloc(1, sizeof(*info));

    *kernel_page = pages_alloc(1);
    *ramdisk_page = pages_alloc(1);
    memcpy(*kernel_page, pt_kernel, sizeof(pt_kernel));
    memcpy(*ramdisk_page, pt_ramdisk, sizeof(pt_ramdisk));
    info->module_count = 2;
    strcpy(info->module[0].name, "k");
    info->module[0].base = host_pa(*kernel_page);
    info->module[0].size = sizeof(pt_kernel);
    strcpy(info->module[1].name, "r");
    info->module[1].base = host_pa(*ramdisk_page);
    info->module[1].size = sizeof(pt_ramdisk);
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
    assert_int_equal(pvh_build_manifest(pt_domain, &m, info), 0);
    pt_read(pt_start_info().modlist_paddr, &module, sizeof(module));
    pt_read(module.paddr, got, sizeof(got));
    assert_memory_equal(got, pt_ramdisk, sizeof(got));
    assert_null(pt_domain->console);
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
    assert_int_equal(pvh_build_manifest(pt_domain, &m, info), -RV_ENOENT);
    strcpy(m.kernel, "absent");
    m.ramdisk[0] = '\0';
    assert_int_equal(pvh_build_manifest(pt_domain, &m, info), -RV_ENOENT);
    assert_int_equal(pt_domain->page_count, 0);
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
    assert_int_equal(pvh_build_manifest(pt_domain, &m, info), 0);
    assert_false(fake_io_is_open(pt_domain, 0x3f8));
    pt_rebuild_as(ROLE_HARDWARE, PT_MEMORY);
    assert_int_equal(pvh_build_manifest(pt_domain, &m, info), 0);
    assert_true(fake_io_is_open(pt_domain, 0x3f8));
    pages_free(kernel_page, 1);
    pages_free(ramdisk_page, 1);
    free(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PT_CASE(build_manifest_finds_modules_by_name),
        PT_CASE(build_manifest_missing_module_is_enoent),
        PT_CASE(build_manifest_serial_needs_the_hardware_role),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
