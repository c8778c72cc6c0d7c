/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fresh memory for a domain: frames of its own, cleared, charged and mapped, or
 * nothing at all.
 */

#include "ravelin/frame_pool.h"
#include "ravelin/p2m.h"

#include "ravelin/domain.h"

int p2m_populate(struct domain *d, gfn_t g, unsigned order)
{
    struct p2m_locked p2m;
    mfn_t m;
    int rc = frame_alloc_domain(d, order, &m);

    if (rc != 0) {
        return rc;
    }
    p2m = p2m_lock(&d->p2m);
    rc = p2m_map(p2m, g, m, order, P2M_RAM, ACCESS_ALL);
    p2m_unlock(&p2m);
    for (uint64_t i = 0; rc != 0 && i < 1UL << order; i++) {
        frame_put(mfn(m.v + i));
    }
    return rc;
}
