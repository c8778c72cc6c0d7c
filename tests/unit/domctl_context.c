/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processor state of a stopped domain: goes out and in again as records; a
 * record that is not right changes nothing.
 */
#include "domctl_fixture.h"

#include "public/hvm/save.h"

#define RECORD_AT (HC_BUF + 32 + 8) /* behind the header, of vCPU 0 */

static struct xen_domctl context_request(uint32_t cmd, domid_t d, uint32_t size)
{
    struct xen_domctl c = dc_request(cmd, d);

    c.u.hvmcontext.size = size;
    c.u.hvmcontext.buffer.gva = HC_BUF;
    return c;
}

static void context_of_a_running_domain_returns_einval(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;

    (void)state;
    assert_int_equal(dc_simple(XEN_DOMCTL_gethvmcontext, id), -RV_EINVAL);
    assert_int_equal(dc_simple(XEN_DOMCTL_sethvmcontext, id), -RV_EINVAL);
    assert_int_equal(dc_simple(XEN_DOMCTL_gethvmcontext_partial, id),
                     -RV_EINVAL);
}

static void context_goes_out_and_in_again(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    struct xen_domctl c;
    struct hvm_hw_cpu rec;
    uint32_t size;

    (void)state;
    assert_int_equal(dc_simple(XEN_DOMCTL_pausedomain, id), 0);
    c = dc_request(XEN_DOMCTL_gethvmcontext, id);
    assert_int_equal(dc_call(&c), 0);
    size = c.u.hvmcontext.size;
    assert_int_equal(size, 8 + 24 + 8 + sizeof(rec) + 8);
    c = context_request(XEN_DOMCTL_gethvmcontext, id, size - 1);
    assert_int_equal(dc_call(&c), -RV_ENOSPC);
    v->regs.gpr[REG_R13] = 0x1313;
    c = context_request(XEN_DOMCTL_gethvmcontext, id, size);
    assert_int_equal(dc_call(&c), 0);
    hc_get(HC_CONTROL, RECORD_AT, &rec, sizeof(rec));
    assert_int_equal(rec.r13, 0x1313);
    assert_int_equal(rec.cr3, hv->creg_get(v, CREG_CR3));
    rec.r13 = 0x1414;
    hc_put(HC_CONTROL, RECORD_AT, &rec, sizeof(rec));
    c = context_request(XEN_DOMCTL_sethvmcontext, id, size);
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(v->regs.gpr[REG_R13], 0x1414);
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), 0);
}

static void context_bad_record_changes_nothing(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    struct vcpu *v = hc_vcpu(HC_PLAIN, 0);
    uint32_t size = 8 + 24 + 8 + sizeof(struct hvm_hw_cpu) + 8;
    struct hvm_save_descriptor desc;
    struct hvm_hw_cpu rec;
    struct hvm_hw_cpu good;
    struct xen_domctl c;

    (void)state;
    assert_int_equal(dc_simple(XEN_DOMCTL_pausedomain, id), 0);
    c = context_request(XEN_DOMCTL_gethvmcontext, id, size);
    assert_int_equal(dc_call(&c), 0);
    hc_get(HC_CONTROL, RECORD_AT, &good, sizeof(good));
#define REFUSED(change)                                          \
    do {                                                         \
        rec = good;                                              \
        rec.r13 = 0x6666;                                        \
        change;                                                  \
        hc_put(HC_CONTROL, RECORD_AT, &rec, sizeof(rec));        \
        c = context_request(XEN_DOMCTL_sethvmcontext, id, size); \
        assert_int_equal(dc_call(&c), -RV_EINVAL);               \
        assert_int_equal(v->regs.gpr[REG_R13], good.r13);        \
    } while (0)
    REFUSED(rec.cr0 = 1ULL << 32);
    REFUSED(rec.msr_efer |= 1ULL << 63);
    REFUSED(rec.pending_event = 1u << 31);
    REFUSED(rec.rip = 0x8000000000000000u);
    REFUSED(rec.gs_base = 0x8000000000000000u);
#undef REFUSED
    hc_put(HC_CONTROL, RECORD_AT, &good, sizeof(good));
    hc_get(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    desc.instance = 2;
    hc_put(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    desc.instance = 0;
    desc.length--;
    hc_put(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    desc.length = UINT32_MAX;
    hc_put(HC_CONTROL, RECORD_AT - 8, &desc, sizeof(desc));
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.hvmcontext.size = 7;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.hvmcontext.size = 1u << 20;
    assert_int_equal(dc_call(&c), -RV_EINVAL);
    c.u.hvmcontext.size = size;
    c.u.hvmcontext.buffer.gva = HC_BAD;
    assert_int_equal(dc_call(&c), -RV_EFAULT);
    c.cmd = XEN_DOMCTL_gethvmcontext;
    assert_int_equal(dc_call(&c), -RV_EFAULT);
    c = context_request(XEN_DOMCTL_sethvmcontext, id, size);
    hc_alloc_fail();
    assert_int_equal(dc_call(&c), -RV_ENOMEM);
    hc_alloc_heal();
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), 0);
}

static void context_partial_gives_one_record(void **state)
{
    domid_t id = hc_domain[HC_PLAIN]->id;
    struct xen_domctl c = dc_request(XEN_DOMCTL_gethvmcontext_partial, id);
    struct xen_domctl_hvmcontext_partial *p = &c.u.hvmcontext_partial;
    struct hvm_hw_cpu rec;

    (void)state;
    assert_int_equal(dc_simple(XEN_DOMCTL_pausedomain, id), 0);
    p->type = HVM_SAVE_CODE_CPU;
    assert_int_equal(dc_call(&c), 0);
    assert_int_equal(p->bufsz, sizeof(rec));
    p->buffer.gva = HC_BUF;
    assert_int_equal(dc_call(&c), 0);
    hc_get(HC_CONTROL, HC_BUF, &rec, sizeof(rec));
    assert_int_equal(rec.rip, hc_vcpu(HC_PLAIN, 0)->regs.rip);
    p->bufsz--;
    assert_int_equal(dc_call(&c), -RV_ENOSPC);
    p->bufsz = 4096;
    p->buffer.gva = HC_BAD;
    assert_int_equal(dc_call(&c), -RV_EFAULT);
    p->instance = 1; /* has no state */
    assert_int_equal(dc_call(&c), -RV_ENOENT);
    p->instance = 0;
    p->type = HVM_SAVE_CODE_HEADER;
    assert_int_equal(dc_call(&c), -RV_ENOENT);
    assert_int_equal(dc_simple(XEN_DOMCTL_unpausedomain, id), 0);
}

int domctl_context_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_of_a_running_domain_returns_einval),
        cmocka_unit_test(context_goes_out_and_in_again),
        cmocka_unit_test(context_bad_record_changes_nothing),
        cmocka_unit_test(context_partial_gives_one_record),
    };

    return group_run(tests, hc_setup, hc_teardown);
}
