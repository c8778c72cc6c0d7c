/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See walk_fixture.h.
 */
#include "walk_fixture.h"

#include <string.h>

struct domain *wt_domain;
struct vcpu *wt_vcpu;
struct fixture_tables wt_tables;
struct guest_fault wt_fault;

int wt_setup(void **state)
{
    (void)state;
    fixture_machine_create(2, FIXTURE_MIB(64));
    wt_domain = fixture_domain_create(FIXTURE_DOMID, 2, WT_PAGES, 16);
    wt_vcpu = wt_domain->vcpu[0];
    return 0;
}

int wt_teardown(void **state)
{
    (void)state;
    fixture_domain_destroy(wt_domain);
    fixture_machine_destroy();
    return 0;
}

void wt_start(enum fixture_paging mode)
{
    fixture_paging_start(&wt_tables, wt_vcpu, mode, WT_TABLES);
}

int wt_translate(uint64_t a, uint8_t access, bool user, uint64_t *out)
{
    gpa_t g = gpa(0);
    int rc;

    memset(&wt_fault, 0, sizeof(wt_fault));
    rc = guest_translate(wt_vcpu, gva(a), access, user, &g, &wt_fault);
    *out = g.v;
    return rc;
}

void wt_creg_change(enum vcpu_creg r, uint64_t set, uint64_t clear)
{
    hv->creg_set(wt_vcpu, r, (hv->creg_get(wt_vcpu, r) & ~clear) | set);
}

void wt_p2m_rights(uint64_t g, uint8_t access)
{
    struct p2m_locked p2m = p2m_lock(&wt_domain->p2m);

    assert_int_equal(p2m_access_set(p2m, gfn(g), access), 0);
    p2m_unlock(&p2m);
}
