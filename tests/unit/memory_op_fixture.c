/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See memory_op_fixture.h.
 */
#include "memory_op_fixture.h"

long mo_call(enum hc_who who, uint64_t cmd, void *arg, size_t n)
{
    return hc(who, __HYPERVISOR_memory_op, cmd, arg, n);
}

enum p2m_type mo_type_at(enum hc_who who, uint64_t g)
{
    return p2m_lookup(&hc_domain[who]->p2m, gfn(g)).type;
}

uint64_t mo_owned(enum hc_who who)
{
    return hc_domain[who]->page_count;
}

struct xen_memory_reservation mo_list(uint64_t first, unsigned n)
{
    struct xen_memory_reservation r = {
        .extent_start = {HC_BUF},
        .nr_extents = n,
        .domid = DOMID_SELF,
    };
    uint64_t frames[512];

    for (unsigned i = 0; i < n; i++) {
        frames[i] = first + i;
    }
    hc_put(HC_PLAIN, HC_BUF, frames, n * sizeof(frames[0]));
    return r;
}

long mo_resize(uint64_t cmd, struct xen_memory_reservation r)
{
    return mo_call(HC_PLAIN, cmd, &r, sizeof(r));
}
