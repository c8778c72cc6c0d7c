/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights of pages as tests set and look at them.
 */
#include "access_fixture.h"

int rights_set(struct domain *d, uint64_t g, uint64_t count, uint8_t mode)
{
    struct p2m_locked p2m = p2m_lock(&d->p2m);
    gfn_t next;
    int rc = p2m_access_range_set(p2m, gfn(g), count, mode, &next);

    p2m_unlock(&p2m);
    return rc;
}

uint8_t rights_get(struct domain *d, uint64_t g)
{
    uint8_t mode = 0xff;

    assert_int_equal(p2m_access_get(&d->p2m, gfn(g), &mode), 0);
    return mode;
}
