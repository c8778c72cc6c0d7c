/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See evtchn_fixture.h.
 */

#include "evtchn_fixture.h"

#include <string.h>

struct domain *et_a;
struct domain *et_b;

int et_setup(void **state)
{
    (void)state;
    core_machine_create(2);
    et_a = core_domain_with(2, 0, 0, 1);
    et_b = core_domain_with(1, 0, 0, 2);
    core_domain_start(et_a);
    core_domain_start(et_b);
    core_turn(1);
    core_turn(0);
    return 0;
}

int et_teardown(void **state)
{
    (void)state;
    if (et_a) {
        core_domain_destroy(et_a);
    }
    if (et_b) {
        core_domain_destroy(et_b);
    }
    core_machine_destroy();
    return 0;
}

struct shared_info *et_shared(const struct domain *d)
{
    return d->shared_info;
}

struct vcpu_info *et_info(const struct domain *d, unsigned vcpu)
{
    return d->vcpu[vcpu]->vcpu_info;
}

bool et_upcall_take(const struct domain *d, unsigned vcpu)
{
    bool was = et_info(d, vcpu)->evtchn_upcall_pending != 0;

    et_info(d, vcpu)->evtchn_upcall_pending = 0;
    et_info(d, vcpu)->evtchn_pending_sel = 0;
    memset(et_shared(d)->evtchn_pending, 0,
           sizeof(et_shared(d)->evtchn_pending));
    return was;
}

uint32_t et_status(struct domain *d, evtchn_port_t port,
                   struct evtchn_status *st)
{
    assert_int_equal(evtchn_status_get(d, port, st), 0);
    return st->status;
}
