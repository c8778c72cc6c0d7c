/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op: memory maps, the one that the control domain sets for a guest and
 * the machine's for the hardware domain.
 */
#include "memory_op_fixture.h"

#include "public/hvm/e820.h"
#include "ravelin/memmap.h"
#include "ravelin/memory_map.h"

static void map_without_one_returns_enosys(void **state)
{
    struct xen_memory_map m = {4, 0, {HC_BUF}};
    struct xen_memory_domain d = {DOMID_SELF};

    (void)state;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_memory_map, &m, sizeof(m)),
                     -RV_ENOSYS);
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_maximum_gpfn, &d, sizeof(d)), 0);
}

static void map_set_by_control_is_told_to_the_domain(void **state)
{
    struct xen_e820_entry e[3] = {{0, 0xa0000, XEN_E820_RAM},
                                  {0x100000, 0x700000, XEN_E820_RAM},
                                  {0xfeff0000, 0x10000, XEN_E820_RESERVED}};
    struct xen_foreign_memory_map f = {
        .domid = hc_domain[HC_PLAIN]->id,
        .map = {3, 0, {HC_BUF}},
    };
    struct compat_memory_map m32 = {2, {HC_BUF}};
    struct xen_memory_map m = {16, 0, {HC_BUF}};
    struct xen_memory_domain d = {DOMID_SELF};
    struct xen_e820_entry got[3];

    (void)state;
    hc_put(HC_CONTROL, HC_BUF, e, sizeof(e));
    assert_int_equal(mo_call(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     0);
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_memory_map, &m, sizeof(m)), 0);
    assert_int_equal(m.nr_entries, 3);
    hc_get(HC_PLAIN, HC_BUF, got, sizeof(got));
    assert_memory_equal(got, e, sizeof(e));
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_maximum_gpfn, &d, sizeof(d)),
                     0x7ff);
    assert_int_equal(hc32(HC_PLAIN, __HYPERVISOR_memory_op, XENMEM_memory_map,
                          &m32, sizeof(m32)),
                     0);
    assert_int_equal(m32.nr_entries, 2);
    m.nr_entries = 3;
    m.buffer.gva = HC_BAD;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_memory_map, &m, sizeof(m)),
                     -RV_EFAULT);
}

static void map_set_bad_requests_are_refused(void **state)
{
    struct xen_foreign_memory_map f = {
        .domid = hc_domain[HC_PLAIN]->id,
        .map = {129, 0, {HC_BUF}},
    };

    (void)state;
    assert_int_equal(mo_call(HC_PLAIN, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_EPERM);
    assert_int_equal(mo_call(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_EINVAL);
    f.map.nr_entries = 3;
    f.map.buffer.gva = HC_BAD;
    assert_int_equal(mo_call(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_EFAULT);
    f.map.buffer.gva = HC_BUF;
    hc_alloc_fail();
    assert_int_equal(mo_call(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_ENOMEM);
    hc_alloc_heal();
    f.domid = 99;
    assert_int_equal(mo_call(HC_CONTROL, XENMEM_set_memory_map, &f, sizeof(f)),
                     -RV_ESRCH);
}

static void map_of_the_machine_is_for_the_hardware_domain(void **state)
{
    static const struct memmap machine = {
        .count = 3,
        .region = {{{0}, 0xa0000, MEM_FREE},
                   {{0xa0000}, 0x60000, MEM_RESERVED},
                   {{0x100000}, 0x1000000, MEM_HYPERVISOR}},
    };
    struct xen_memory_map m = {16, 0, {0}};
    struct xen_e820_entry e[3];

    (void)state;
    machine_memory_map_set(&machine);
    assert_int_equal(
        mo_call(HC_CONTROL, XENMEM_machine_memory_map, &m, sizeof(m)),
        -RV_EPERM);
    assert_int_equal(
        mo_call(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)), 0);
    assert_int_equal(m.nr_entries, 3);
    m.buffer.gva = HC_BUF;
    assert_int_equal(
        mo_call(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)), 0);
    hc_get(HC_HARDWARE, HC_BUF, e, sizeof(e));
    assert_int_equal(e[1].type, XEN_E820_RESERVED);
    assert_int_equal(e[2].addr, 0x100000);
    assert_int_equal(e[2].type, XEN_E820_RAM);
    m.nr_entries = 2;
    assert_int_equal(
        mo_call(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)),
        -RV_EINVAL);
    m.nr_entries = 3;
    m.buffer.gva = HC_BAD;
    assert_int_equal(
        mo_call(HC_HARDWARE, XENMEM_machine_memory_map, &m, sizeof(m)),
        -RV_EFAULT);
    machine_memory_map_set(NULL);
}

int memory_maps_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_without_one_returns_enosys),
        cmocka_unit_test(map_set_by_control_is_told_to_the_domain),
        cmocka_unit_test(map_set_bad_requests_are_refused),
        cmocka_unit_test(map_of_the_machine_is_for_the_hardware_domain),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
