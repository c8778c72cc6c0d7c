/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvm_op and the HVM parameters.
 */
#include "hypercall_fixture.h"

#include <string.h>

#include "public/hvm/hvm_op.h"
#include "public/hvm/params.h"
#include "ravelin/evtchn.h"
#include "ravelin/msr_policy.h"
#include "ravelin/time_info.h"

#define NR __HYPERVISOR_hvm_op
#define HYPERCALL_MSR 0x40000000u
#define VECTOR(n) (2ULL << 56 | (n))

static long set(enum hc_who who, domid_t d, uint32_t index, uint64_t value)
{
    struct xen_hvm_param p = {d, 0xffff, index, value};

    return hc(who, NR, HVMOP_set_param, &p, sizeof(p));
}

static long get(enum hc_who who, domid_t d, uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {d, 0xffff, index, UINT64_MAX};
    long rc = hc(who, NR, HVMOP_get_param, &p, sizeof(p));

    *value = p.value;
    return rc;
}

static void hvm_bad_pointer_returns_efault(void **state)
{
    static const uint8_t ops[] = {0, 1, 10, 12, 13, 14, 15, 23};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        assert_int_equal(hc_call(HC_PLAIN, false, NR, ops[i], HC_BAD, 0),
                         -RV_EFAULT);
    }
}

static void param_callback_vector_is_taken_and_checked(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    uint64_t value;

    (void)state;
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, VECTOR(0xf3)), 0);
    assert_int_equal(d->callback_vector, 0xf3);
    assert_int_equal(get(HC_PLAIN, DOMID_SELF, 0, &value), 0);
    assert_int_equal(value, VECTOR(0xf3));
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, VECTOR(15)), -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, VECTOR(0x1f3)), -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 3ULL << 56 | 32), -RV_EINVAL);
    assert_int_equal(d->callback_vector, 0xf3);
    /* Lines are taken as a word of intent and raise nothing. */
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 1), 0);
    assert_int_equal(d->callback_vector, 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, VECTOR(0xf3)), 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 1ULL << 56 | 1), 0);
    assert_int_equal(d->callback_vector, 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 0), 0);
    assert_int_equal(d->callback_vector, 0);
}

static void param_callback_latches_the_callers_layout(void **state)
{
    struct xen_hvm_param p = {DOMID_SELF, 0, 0, VECTOR(0x40)};

    (void)state;
    assert_false(hc_domain[HC_PLAIN]->is_32bit_abi);
    assert_int_equal(hc32(HC_PLAIN, NR, HVMOP_set_param, &p, sizeof(p)), 0);
    assert_true(hc_domain[HC_PLAIN]->is_32bit_abi);
    p.domid = hc_domain[HC_PLAIN]->id;
    assert_int_equal(hc(HC_CONTROL, NR, HVMOP_set_param, &p, sizeof(p)), 0);
    assert_true(hc_domain[HC_PLAIN]->is_32bit_abi);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, VECTOR(0x40)), 0);
    assert_false(hc_domain[HC_PLAIN]->is_32bit_abi);
}

static void param_callback_finds_what_is_pending(void **state)
{
    struct vcpu *caller = hc_vcpu(HC_PLAIN, 0);
    struct vcpu *other = hc_vcpu(HC_PLAIN, 1);
    struct vcpu_info *info = caller->vcpu_info;

    (void)state;
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 0), 0);
    info->evtchn_upcall_pending = 1;
    write_once(caller->attention, false);
    write_once(other->attention, false);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 0), 0);
    assert_false(caller->attention);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, VECTOR(0xf3)), 0);
    assert_true(caller->attention);
    assert_false(other->attention);
    info->evtchn_upcall_pending = 0;
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 0, 0), 0);
}

/* The same happens where the hypercall page is written: before that a guest
 * cannot make a call. */
static void hypercall_page_latches_the_writers_layout(void **state)
{
    struct domain *d = hc_domain[HC_PLAIN];
    struct shared_info *wide = d->shared_info;
    struct compat_shared_info *narrow = d->shared_info;
    struct vcpu *v = d->vcpu[0];
    struct vcpu_segment cs;

    (void)state;
    hv->segment_get(v, SEG_CS, &cs);
    cs.attr = (uint16_t)((cs.attr & ~SEG_ATTR_L) | SEG_ATTR_DB);
    hv->segment_set(v, SEG_CS, &cs);
    assert_int_equal(msr_policy_write(v, HYPERCALL_MSR, HC_HOLE), -RV_EINVAL);
    assert_false(d->is_32bit_abi);
    narrow->wc_version = 0;
    assert_int_equal(msr_policy_write(v, HYPERCALL_MSR, HC_FREE), 0);
    assert_true(d->is_32bit_abi);
    assert_int_not_equal(narrow->wc_version, 0);
    cs.attr = (uint16_t)((cs.attr & ~SEG_ATTR_DB) | SEG_ATTR_L);
    hv->segment_set(v, SEG_CS, &cs);
    assert_int_equal(hv->code_bits_get(v), 64);
    wide->wc_version = 0;
    assert_int_equal(msr_policy_write(v, HYPERCALL_MSR, HC_FREE), 0);
    assert_false(d->is_32bit_abi);
    assert_int_not_equal(wide->wc_version, 0);
}

static void param_store_is_set_once_from_outside(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    uint64_t value;

    (void)state;
    assert_int_equal(get(HC_PLAIN, DOMID_SELF, HVM_PARAM_STORE_PFN, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_STORE_PFN, 1),
                     -RV_EPERM);
    assert_int_equal(set(HC_HARDWARE, id, HVM_PARAM_STORE_PFN, 1), -RV_EPERM);
    assert_int_equal(set(HC_CONTROL, id, HVM_PARAM_STORE_PFN, 0xfeffc), 0);
    assert_int_equal(set(HC_CONTROL, id, HVM_PARAM_STORE_PFN, 0xfeffd),
                     -RV_EEXIST);
    assert_int_equal(get(HC_PLAIN, DOMID_SELF, HVM_PARAM_STORE_PFN, &value), 0);
    assert_int_equal(value, 0xfeffc);
}

static void param_supervision_is_out_of_a_domains_reach(void **state)
{
    static const uint8_t supervised[] = {20, 21, 22, 23, 25, 28, 30};
    domid_t id = hc_domain[HC_PLAIN]->id;
    uint64_t value;
    bool is_ring;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(supervised); i++) {
        uint32_t index = supervised[i];

        assert_int_equal(set(HC_PLAIN, DOMID_SELF, index, 1), -RV_EPERM);
        assert_int_equal(get(HC_PLAIN, DOMID_SELF, index, &value), -RV_EPERM);
        assert_int_equal(set(HC_CONTROL, DOMID_SELF, index, 1), -RV_EPERM);
        /* From outside: nobody is attached yet. */
        is_ring = index == HVM_PARAM_MONITOR_RING_PFN;
        assert_int_equal(set(HC_CONTROL, id, index, 1),
                         is_ring ? 0 : -RV_ENOENT);
        assert_int_equal(set(HC_CONTROL, id, index, 3),
                         is_ring ? 0 : -RV_EINVAL);
        assert_int_equal(set(HC_CONTROL, id, index, 1ull << 32),
                         is_ring ? 0 : -RV_EINVAL);
        assert_int_equal(get(HC_CONTROL, id, index, &value), 0);
        assert_int_equal(value, is_ring ? 1ull << 32 : 0);
    }
    set(HC_CONTROL, id, HVM_PARAM_MONITOR_RING_PFN, 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_IDENT_PT, 0x1000),
                     -RV_EPERM);
    assert_int_equal(set(HC_CONTROL, id, HVM_PARAM_CONSOLE_EVTCHN, 3),
                     -RV_EPERM);
}

static void param_values_are_checked(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    uint64_t value;

    (void)state;
    assert_int_equal(set(HC_CONTROL, id, HVM_PARAM_IDENT_PT, 0x1001),
                     -RV_EINVAL);
    assert_int_equal(set(HC_CONTROL, id, HVM_PARAM_IDENT_PT, 1ULL << 32),
                     -RV_EINVAL);
    assert_int_equal(set(HC_CONTROL, id, HVM_PARAM_IDENT_PT, 0xfeffe000), 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_VM86_TSS, 1ULL << 32),
                     -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_VM86_TSS, 0x1000), 0);
    assert_int_equal(
        set(HC_PLAIN, DOMID_SELF, HVM_PARAM_VM86_TSS_SIZED, 103ULL << 32),
        -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_VM86_TSS_SIZED,
                         128ULL << 32 | 0xffffffc0),
                     -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_VM86_TSS_SIZED,
                         128ULL << 32 | 0x1000),
                     0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_ACPI_S_STATE, 3),
                     -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, HVM_PARAM_ACPI_S_STATE, 0), 0);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 39, 0), -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, UINT32_MAX, 0), -RV_EINVAL);
    assert_int_equal(set(HC_PLAIN, DOMID_SELF, 7, 0), -RV_EINVAL);
    assert_int_equal(get(HC_PLAIN, DOMID_SELF, 64, &value), -RV_EINVAL);
    assert_int_equal(get(HC_CONTROL, 99, 0, &value), -RV_ESRCH);
    assert_int_equal(set(HC_CONTROL, 99, 0, 0), -RV_ESRCH);
    assert_int_equal(get(HC_PLAIN, 99, 0, &value), -RV_EPERM);
}

/* A control domain gives another one its console ring. */
static void param_console_pfn_attaches_the_ring(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    uint64_t port;

    (void)state;
    assert_int_equal(
        set(HC_CONTROL, id, HVM_PARAM_CONSOLE_PFN, HC_HOLE >> PAGE_SHIFT),
        -RV_EINVAL);
    assert_int_equal(
        set(HC_CONTROL, id, HVM_PARAM_CONSOLE_PFN, HC_FREE >> PAGE_SHIFT), 0);
    assert_int_equal(get(HC_PLAIN, DOMID_SELF, HVM_PARAM_CONSOLE_EVTCHN, &port),
                     0);
    assert_true(port != 0);
    assert_int_equal(
        set(HC_CONTROL, id, HVM_PARAM_CONSOLE_PFN, HC_FREE >> PAGE_SHIFT),
        -RV_EEXIST);
}

static void hvm_flush_tlbs_makes_every_vcpu_flush(void **state)
{
    uint64_t before = hc_domain[HC_PLAIN]->p2m.generation;

    (void)state;
    assert_int_equal(hc_call(HC_PLAIN, false, NR, HVMOP_flush_tlbs, 0, 0), 0);
    assert_true(hc_domain[HC_PLAIN]->p2m.generation > before);
    assert_int_equal(hc_call(HC_PLAIN, false, NR, HVMOP_flush_tlbs, HC_ARG, 0),
                     -RV_EINVAL);
}

static void hvm_get_time_is_that_of_the_domain(void **state)
{
    struct xen_hvm_get_time t = {0};

    (void)state;
    fake_time_advance(12345);
    assert_int_equal(hc(HC_PLAIN, NR, HVMOP_get_time, &t, sizeof(t)), 0);
    assert_int_equal(t.now, domain_time_ns(hc_domain[HC_PLAIN]));
}

static void hvm_pagetable_dying_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, HVMOP_pagetable_dying, HC_ARG, 0),
        -RV_EINVAL);
}

static void hvm_guest_request_with_argument_returns_einval(void **state)
{
    (void)state;
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, HVMOP_guest_request_vm_event, 0, 0), 0);
    assert_int_equal(
        hc_call(HC_PLAIN, false, NR, HVMOP_guest_request_vm_event, 1, 0),
        -RV_EINVAL);
}

static void hvm_get_mem_type_tells_ram_from_nothing(void **state)
{
    struct xen_hvm_get_mem_type t = {.domid = DOMID_SELF, .pfn = 1};

    (void)state;
    assert_int_equal(hc(HC_PLAIN, NR, HVMOP_get_mem_type, &t, sizeof(t)), 0);
    assert_int_equal(t.mem_type, HVMMEM_ram_rw);
    t.pfn = HC_HOLE >> PAGE_SHIFT;
    assert_int_equal(hc(HC_PLAIN, NR, HVMOP_get_mem_type, &t, sizeof(t)), 0);
    assert_int_equal(t.mem_type, HVMMEM_mmio_dm);
    t.pfn = UINT64_MAX;
    assert_int_equal(hc(HC_PLAIN, NR, HVMOP_get_mem_type, &t, sizeof(t)),
                     -RV_EINVAL);
    t.domid = 99;
    assert_int_equal(hc(HC_PLAIN, NR, HVMOP_get_mem_type, &t, sizeof(t)),
                     -RV_EPERM);
    assert_int_equal(hc(HC_CONTROL, NR, HVMOP_get_mem_type, &t, sizeof(t)),
                     -RV_ESRCH);
}

static void hvm_upcall_vector_is_per_vcpu(void **state)
{
    struct xen_hvm_evtchn_upcall_vector u = {.vcpu = 1, .vector = 15};

    (void)state;
    assert_int_equal(
        hc(HC_PLAIN, NR, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)),
        -RV_EINVAL);
    u.vector = 0xf4;
    u.vcpu = 2;
    assert_int_equal(
        hc(HC_PLAIN, NR, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)),
        -RV_ENOENT);
    u.vcpu = 1;
    assert_int_equal(
        hc(HC_PLAIN, NR, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)), 0);
    assert_int_equal(hc_vcpu(HC_PLAIN, 1)->upcall_vector, 0xf4);
    assert_int_equal(hc_vcpu(HC_PLAIN, 0)->upcall_vector, 0);
}

static long access_set(enum hc_who who, domid_t d, uint16_t access,
                       uint64_t first, uint32_t nr)
{
    struct xen_hvm_set_mem_access a = {d, access, nr, first};

    return hc(who, NR, HVMOP_set_mem_access, &a, sizeof(a));
}

static long access_get(enum hc_who who, domid_t d, uint64_t pfn,
                       uint16_t *access)
{
    struct xen_hvm_get_mem_access a = {.domid = d, .pfn = pfn};
    long rc = hc(who, NR, HVMOP_get_mem_access, &a, sizeof(a));

    *access = a.hvmmem_access;
    return rc;
}

#define PFN (HC_FREE >> 12)

static void hvm_mem_access_is_set_from_outside_only(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    domid_t own = hc_domain[HC_CONTROL]->id;
    domid_t hw = hc_domain[HC_HARDWARE]->id;
    uint16_t access;

    (void)state;
    hc_alloc_fail();
    assert_int_equal(access_set(HC_CONTROL, hw, 1, PFN, 1), -RV_ENOMEM);
    hc_alloc_heal();
    for (uint16_t a = 0; a <= HVMMEM_access_rx2rw; a++) {
        assert_int_equal(access_set(HC_CONTROL, id, a, PFN, 3), 0);
        assert_int_equal(access_get(HC_CONTROL, id, PFN + 2, &access), 0);
        assert_int_equal(access, a);
        assert_int_equal(access_get(HC_CONTROL, id, PFN + 3, &access), 0);
        assert_int_equal(access, HVMMEM_access_rwx);
    }
    assert_int_equal(access_set(HC_PLAIN, DOMID_SELF, 7, PFN, 1), -RV_EPERM);
    assert_int_equal(access_set(HC_PLAIN, id, 7, PFN, 1), -RV_EPERM);
    assert_int_equal(access_set(HC_CONTROL, own, 7, PFN, 1), -RV_EPERM);
    assert_int_equal(access_set(HC_HARDWARE, id, 7, PFN, 1), -RV_EPERM);
    assert_int_equal(access_get(HC_PLAIN, DOMID_SELF, PFN, &access), -RV_EPERM);
    assert_int_equal(access_set(HC_CONTROL, 99, 7, PFN, 1), -RV_ESRCH);
    assert_int_equal(access_get(HC_CONTROL, 99, PFN, &access), -RV_ESRCH);
    assert_int_equal(access_set(HC_CONTROL, id, 9, PFN, 3), 0);
    assert_int_equal(access_get(HC_CONTROL, id, PFN, &access), 0);
    assert_int_equal(access, HVMMEM_access_rwx);
}

static void hvm_mem_access_bad_requests_are_refused(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    uint64_t limit = hc_domain[HC_PLAIN]->p2m.gfn_limit;
    uint16_t access;

    (void)state;
    assert_int_equal(access_set(HC_CONTROL, id, 10, PFN, 1), -RV_EINVAL);
    assert_int_equal(access_set(HC_CONTROL, id, 1, PFN, 0), -RV_EINVAL);
    assert_int_equal(access_set(HC_CONTROL, id, 1, limit, 1), -RV_EINVAL);
    assert_int_equal(access_set(HC_CONTROL, id, 1, limit - 1, 2), -RV_EINVAL);
    assert_int_equal(access_set(HC_CONTROL, id, 1, ~1ULL, 2), -RV_EINVAL);
    assert_int_equal(access_set(HC_CONTROL, id, 9, ~0ULL, 0), -RV_EINVAL);
    assert_int_equal(access_get(HC_CONTROL, id, limit, &access), -RV_EINVAL);
    assert_int_equal(access_get(HC_CONTROL, id, HC_HOLE >> 12, &access),
                     -RV_ENOENT);
    /* A continued call whose structure has become shorter meanwhile. */
    assert_int_equal(access_set(HC_CONTROL, id, 7, PFN, 1), 0);
    assert_int_equal(hc_call(HC_CONTROL, false, NR,
                             HVMOP_set_mem_access | 1 << 8, HC_ARG, 0),
                     -RV_EINVAL);
}

/* Longer than one piece, over holes; and the default of pages to come. */
static void hvm_mem_access_long_ranges_and_the_default(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    uint16_t access;

    (void)state;
    assert_int_equal(access_set(HC_CONTROL, id, 5, 0, 5000), 0);
    assert_int_equal(access_get(HC_CONTROL, id, PFN, &access), 0);
    assert_int_equal(access, HVMMEM_access_rx);
    assert_int_equal(access_set(HC_CONTROL, id, 8, ~0ULL, 0), 0);
    assert_int_equal(access_get(HC_CONTROL, id, ~0ULL, &access), 0);
    assert_int_equal(access, HVMMEM_access_rx2rw);
    assert_int_equal(access_set(HC_CONTROL, id, 7, ~0ULL, 0), 0);
    assert_int_equal(access_set(HC_CONTROL, id, 9, 0, 5000), 0);
    assert_int_equal(access_get(HC_CONTROL, id, PFN, &access), 0);
    assert_int_equal(access, HVMMEM_access_rwx);
}

static long trap(enum hc_who who, domid_t d, uint32_t vcpu, uint32_t vector,
                 uint32_t error)
{
    struct xen_hvm_inject_trap t = {
        .domid = d, .vcpuid = vcpu, .trap = vector, .error_code = error};

    return hc(who, NR, HVMOP_inject_trap, &t, sizeof(t));
}

static void hvm_inject_trap_is_checked(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    domid_t hw = hc_domain[HC_HARDWARE]->id;
    const uint32_t none = HVMOP_TRAP_no_error;

    (void)state;
    hc_alloc_fail();
    assert_int_equal(trap(HC_CONTROL, hw, 0, 6, none), -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(trap(HC_PLAIN, DOMID_SELF, 0, 6, none), -RV_EPERM);
    assert_int_equal(trap(HC_PLAIN, hw, 0, 6, none), -RV_EPERM);
    assert_int_equal(trap(HC_CONTROL, 99, 0, 6, none), -RV_ESRCH);
    assert_int_equal(trap(HC_CONTROL, id, 2, 6, none), -RV_ENOENT);
    assert_int_equal(trap(HC_CONTROL, id, 0, 0x106, none), -RV_EINVAL);
    assert_int_equal(trap(HC_CONTROL, id, 0, 6, 0), -RV_EINVAL);
    assert_int_equal(trap(HC_CONTROL, id, 0, 13, none), -RV_EINVAL);
    assert_int_equal(trap(HC_CONTROL, id, 1, 13, 0), 0);
    assert_int_equal(trap(HC_CONTROL, id, 1, 6, none), -RV_EBUSY);
}

static void hvm_documented_errors_are_all_provoked(void **state)
{
    (void)state;
    hc_errors_all_provoked("hvm_op");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hvm_bad_pointer_returns_efault),
        cmocka_unit_test(param_callback_vector_is_taken_and_checked),
        cmocka_unit_test(param_callback_latches_the_callers_layout),
        cmocka_unit_test(param_callback_finds_what_is_pending),
        cmocka_unit_test(hypercall_page_latches_the_writers_layout),
        cmocka_unit_test(param_store_is_set_once_from_outside),
        cmocka_unit_test(param_supervision_is_out_of_a_domains_reach),
        cmocka_unit_test(param_values_are_checked),
        cmocka_unit_test(param_console_pfn_attaches_the_ring),
        cmocka_unit_test(hvm_flush_tlbs_makes_every_vcpu_flush),
        cmocka_unit_test(hvm_get_time_is_that_of_the_domain),
        cmocka_unit_test(hvm_pagetable_dying_returns_einval),
        cmocka_unit_test(hvm_guest_request_with_argument_returns_einval),
        cmocka_unit_test(hvm_get_mem_type_tells_ram_from_nothing),
        cmocka_unit_test(hvm_upcall_vector_is_per_vcpu),
        cmocka_unit_test(hvm_mem_access_is_set_from_outside_only),
        cmocka_unit_test(hvm_mem_access_bad_requests_are_refused),
        cmocka_unit_test(hvm_mem_access_long_ranges_and_the_default),
        cmocka_unit_test(hvm_inject_trap_is_checked),
        cmocka_unit_test(hvm_documented_errors_are_all_provoked),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
