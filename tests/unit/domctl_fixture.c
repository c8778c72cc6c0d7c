/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See domctl_fixture.h.
 */
#include "domctl_fixture.h"

#include <string.h>

struct xen_domctl dc_request(uint32_t cmd, domid_t d)
{
    struct xen_domctl c;

    memset(&c, 0, sizeof(c));
    c.cmd = cmd;
    c.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    c.domain = d;
    return c;
}

long dc_call(struct xen_domctl *c)
{
    return hc(HC_CONTROL, __HYPERVISOR_domctl, 0, c, sizeof(*c));
}

long dc_simple(uint32_t cmd, domid_t d)
{
    struct xen_domctl c = dc_request(cmd, d);

    return dc_call(&c);
}

struct xen_domctl dc_create_request(domid_t d, uint32_t vcpus)
{
    struct xen_domctl c = dc_request(XEN_DOMCTL_createdomain, d);

    c.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
    c.u.createdomain.max_vcpus = vcpus;
    c.u.createdomain.max_evtchn_port = 1023;
    c.u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
    return c;
}

domid_t dc_create(uint32_t vcpus)
{
    struct xen_domctl c = dc_create_request(0, vcpus);

    assert_int_equal(dc_call(&c), 0);
    assert_non_null(domain_lookup(c.domain));
    return c.domain;
}

void dc_destroy(domid_t d)
{
    assert_int_equal(dc_simple(XEN_DOMCTL_destroydomain, d), 0);
    fixture_quiesce();
}
