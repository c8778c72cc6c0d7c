/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds that cannot be done: each reason with its error, and every allocation
 * failing in turn.
 */
#include "pvh_fixture.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/p2m.h"

static void build_bad_kernel_is_enoexec(void **state)
{
    (void)state;
    pt_kernel[0] = 0;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_ENOEXEC);
    assert_int_equal(pt_domain->page_count, 0);
}

static void build_kernel_beyond_memory_is_e2big(void **state)
{
    struct elf_image_plan plan = elf_image_default(ELFCLASS64);

    (void)state;
    plan.paddr[1] = PT_MEMORY;
    elf_image_make(pt_kernel, &plan);
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
    plan.paddr[1] = PT_MEMORY - 0x3000; /* where ramdisk and start info go */
    elf_image_make(pt_kernel, &plan);
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
    assert_int_equal(pt_domain->page_count, 0);
}

static void build_large_ramdisk_is_e2big(void **state)
{
    (void)state;
    pt_request.ramdisk_size = PT_MEMORY + 1;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
    pt_request.ramdisk_size = PT_MEMORY;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
    pt_request.ramdisk_size = PT_MEMORY - 4096;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
    pt_request.ramdisk_size = SIZE_MAX;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
    assert_int_equal(pt_domain->page_count, 0);
}

static void build_bad_request_is_einval(void **state)
{
    static char longest[PVH_CMDLINE_MAX + 1];

    (void)state;
    pt_request.memory = PT_MEMORY + 1;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_EINVAL);
    pt_request.memory = PT_MIB - PAGE_SIZE;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_EINVAL);
    pt_request.memory = PT_MEMORY;
    memset(longest, 'x', PVH_CMDLINE_MAX);
    pt_request.cmdline = longest;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_EINVAL);
    pt_request.cmdline = NULL;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_EINVAL);
}

static void build_running_domain_is_esrch(void **state)
{
    (void)state;
    pt_build();
    assert_int_equal(domain_unpause(pt_domain), 0);
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_ESRCH);
}

static void build_beyond_max_pages_is_e2big(void **state)
{
    (void)state;
    pt_request.memory = 16 * PT_MIB;
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_E2BIG);
}

static void build_without_machine_memory_is_enomem(void **state)
{
    (void)state;
    pt_rebuild_as(0, 128 * PT_MIB); /* the machine has 64 */
    assert_int_equal(pvh_build_domain(pt_domain, &pt_request), -RV_ENOMEM);
}

static uint64_t build_with_everything(int64_t fail_after, int *rc)
{
    uint64_t before;

    pt_rebuild_as(ROLE_HARDWARE, PT_MEMORY);
    pt_request.console = true;
    pt_request.console_ring = true;
    pt_request.serial_port = true;
    pt_request.vm86_pages = true;
    before = frame_alloc_count();
    frame_pool_fail_after(fail_after);
    *rc = pvh_build_domain(pt_domain, &pt_request);
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
            assert_int_equal(pt_domain->vcpu[0]->flags & VCPU_DOWN, VCPU_DOWN);
        } else {
            assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(0)).type, P2M_RAM);
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
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(0)).level, 1);
    assert_int_equal(p2m_lookup(&pt_domain->p2m, gfn(512)).level, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PT_CASE(build_bad_kernel_is_enoexec),
        PT_CASE(build_kernel_beyond_memory_is_e2big),
        PT_CASE(build_large_ramdisk_is_e2big),
        PT_CASE(build_bad_request_is_einval),
        PT_CASE(build_running_domain_is_esrch),
        PT_CASE(build_beyond_max_pages_is_e2big),
        PT_CASE(build_without_machine_memory_is_enomem),
        PT_CASE(build_every_allocation_failing_is_survived),
        PT_CASE(build_without_superpages_uses_small_ones),
    };

    return group_run(tests, platform_amd_setup, platform_teardown);
}
