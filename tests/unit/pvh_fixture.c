/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See pvh_fixture.h.
 */
#include "pvh_fixture.h"

#include "public/xen.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"

uint8_t pt_kernel[ELF_IMAGE_SIZE];
uint8_t pt_ramdisk[PT_RAMDISK_SIZE];
struct domain *pt_domain;
struct pvh_build pt_request;

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

int pt_case_setup(void **state)
{
    struct elf_image_plan plan = elf_image_default(ELFCLASS64);

    (void)state;
    elf_image_make(pt_kernel, &plan);
    for (unsigned i = 0; i < PT_RAMDISK_SIZE; i++) {
        pt_ramdisk[i] = (uint8_t)(i * 3 + 1);
    }
    pt_request = (struct pvh_build){
        .kernel = pt_kernel,
        .kernel_size = sizeof(pt_kernel),
        .ramdisk = pt_ramdisk,
        .ramdisk_size = sizeof(pt_ramdisk),
        .cmdline = "console=hvc0 quiet",
        .memory = PT_MEMORY,
    };
    pt_domain = domain_new(0, PT_MEMORY);
    return 0;
}

int pt_case_teardown(void **state)
{
    (void)state;
    frame_pool_fail_after(-1);
    platform_domain_destroy(pt_domain);
    return 0;
}

void pt_rebuild_as(uint32_t roles, uint64_t memory)
{
    platform_domain_destroy(pt_domain);
    pt_domain = domain_new(roles, memory);
    pt_request.memory = memory;
}

void pt_build(void)
{
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), 0);
}

void pt_read(uint64_t at, void *to, size_t n)
{
    assert_int_equal(guest_phys_read(pt_domain, to, gpa(at), n), 0);
}

struct hvm_start_info pt_start_info(void)
{
    struct hvm_start_info info;

    pt_read(pt_domain->vcpu[0]->regs.gpr[REG_RBX], &info, sizeof(info));
    assert_int_equal(info.magic, XEN_HVM_START_MAGIC_VALUE);
    return info;
}
