/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls with arguments and results on a page that lacks rights: the
 * hypervisor's copies are accesses of the guest's, told and got over like those
 * of its instructions, and the guest finds the results that it always finds.
 */

#include "guest.h"

#include "mon_access.h"

#define CALL_ROUNDS 50u
#define XENVER_text 3 /* capabilities: 1024 bytes */
#define TEXT_BYTES 1024u

/* ---- Rows ---------------------------------------------------------------- */

/* Port 0, which is none. */
void call_run_read(void)
{
    access_result[0] =
        (uint64_t)event_channel_op(EVTCHNOP_close, access_data[0]);
}

static void text_sum(const volatile uint8_t *at)
{
    unsigned int i;

    for (i = 0; i < TEXT_BYTES; i++) {
        access_result[1] = access_result[1] * 31 + at[i];
    }
}

void call_run_write(void)
{
    access_result[0] = (uint64_t)xen_version(XENVER_text, access_data[0]);
    text_sum(access_data[0]);
}

void call_run_write_only(void)
{
    access_result[0] = (uint64_t)xen_version(XENVER_text, access_data[0]);
    access_result[1] = access_data[0][0];
}

void call_run_cross(void)
{
    uint8_t *at = &access_data[1][0] - TEXT_BYTES / 2;

    access_result[0] = (uint64_t)xen_version(XENVER_text, at);
    text_sum(at);
}

/* Two copies by the call; a write and a read by the guest. */
void call_run_port(void)
{
    struct evtchn_alloc_unbound *req = (void *)access_data[0];
    struct evtchn_close close;

    *(volatile uint32_t *)req = DOMID_SELF | DOMID_SELF << 16;
    access_result[0] = (uint64_t)event_channel_op(EVTCHNOP_alloc_unbound, req);
    close.port = *(volatile evtchn_port_t *)&req->port;
    access_result[1] = close.port;
    access_result[2] = (uint64_t)event_channel_op(EVTCHNOP_close, &close);
}

/* ---- Two CPUs ------------------------------------------------------------ */

static volatile uint32_t good_rounds, arrived;

static void call_rounds(unsigned int cpu)
{
    struct evtchn_alloc_unbound *req = (void *)&access_data[0][cpu * 64];
    struct evtchn_close close;
    unsigned int i;

    *(volatile uint32_t *)req = DOMID_SELF | DOMID_SELF << 16;
    atomic_inc(&arrived);
    for (i = 0; i < CALL_ROUNDS; i++) {
        if (event_channel_op(EVTCHNOP_alloc_unbound, req) == 0) {
            close.port = *(volatile evtchn_port_t *)&req->port;
            if (event_channel_op(EVTCHNOP_close, &close) == 0) {
                atomic_inc(&good_rounds);
            }
        }
    }
}

void call_special(void)
{
    good_rounds = arrived = 0;
    if (cpu_count() > 1 && cpu_start(1, call_rounds) == 0) {
        cpu_wait(&arrived, 1, 1000 * MS);
    }
    call_rounds(0);
    if (cpu_count() > 1) {
        cpu_wait_down(1, 5000 * MS);
    }
    watch_mailbox.result[0] = good_rounds;
    watch_mailbox.result[1] = cpu_count();
}

void call_check(struct monitor *m, access_run_fn *run)
{
    uint64_t result[WATCH_WORDS];

    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_R, PFN(access_data), 1), 0);
    CHECK(run(SPECIAL_CALLS, RAVELIN_ANSWER_STEP, RAVELIN_EVENT_WRITE, result));
    CHECK_EQ(result[0], CALL_ROUNDS * (result[1] > 1 ? 2 : 1));
    CHECK(access_events() >= result[0]);
    CHECK_EQ(monitor_access_set(m, MONITOR_ACCESS_RWX, PFN(access_data), 1), 0);
}
