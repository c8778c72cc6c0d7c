/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See p2m_fixture.h.
 */
#include "p2m_fixture.h"

struct domain *pm_domain;

int pm_setup(void **state)
{
    (void)state;
    fixture_machine_create(4, PM_RAM);
    pm_domain = fixture_domain_create(FIXTURE_DOMID, 1, 0, 1UL << 19);
    return 0;
}

int pm_teardown(void **state)
{
    (void)state;
    fixture_domain_destroy(pm_domain);
    fixture_machine_destroy();
    return 0;
}

mfn_t pm_frame(unsigned order)
{
    mfn_t m;

    assert_int_equal(frame_alloc_domain(pm_domain, order, &m), 0);
    return m;
}

int pm_map(uint64_t g, mfn_t m, unsigned order, enum p2m_type type,
           uint8_t access)
{
    struct p2m_locked p2m = p2m_lock(&pm_domain->p2m);
    int rc = p2m_map(p2m, gfn(g), m, order, type, access);

    p2m_unlock(&p2m);
    assert_null(p2m.p2m);
    return rc;
}

int pm_unmap(uint64_t g, unsigned order)
{
    struct p2m_locked p2m = p2m_lock(&pm_domain->p2m);
    int rc = p2m_unmap(p2m, gfn(g), order);

    p2m_unlock(&p2m);
    return rc;
}

int pm_access_set(uint64_t g, uint8_t access)
{
    struct p2m_locked p2m = p2m_lock(&pm_domain->p2m);
    int rc = p2m_access_set(p2m, gfn(g), access);

    p2m_unlock(&p2m);
    return rc;
}
