/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The orderly end of the machine: whatever domains are left are destroyed, the
 * frames are counted against those there were before the first domain, and
 * only then the power goes. A count that does not come out is our own mistake
 * and is said.
 */

#include "ravelin/machine_end.h"

#include "arch/host.h"
#include "ravelin/atomic.h"
#include "ravelin/console.h"
#include "ravelin/domain.h"
#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/log.h"
#include "ravelin/quiesce.h"
#include "ravelin/v4v.h"
#include "ravelin/work.h"

/* A domain that cannot be taken apart does not keep the machine on: the wait
 * ends when nothing has come back for so long. */
#define PATIENCE_NS 5000000000u

static uint64_t frames_before;
static uint64_t deadline_ns;
static uint64_t frames_seen; /* free when last looked at */
static unsigned end_code;
static bool end_restarts;
static uint32_t ending; /* atomic; the first caller decides */

static int end_step(struct work_item *item);
static struct work_item end_work = {.fn = end_step};

void machine_end_baseline(void)
{
    frames_before = frame_free_count();
}

static bool domains_are_gone(void)
{
    struct domain *d = domain_lookup_from(0);
    bool pending = false;

    while (d) {
        struct domain *next = domain_next(d);

        pending |= domain_destroy(d) != 0;
        d = next;
    }
    if (pending || domain_count() != 0) {
        return false;
    }
    v4v_rules_flush();
    return quiesce_pending_count() == 0;
}

/* However slow the machine is, as long as it gets on. */
static bool patience_is_over(void)
{
    uint64_t now = arch_time_ns();
    uint64_t frames = frame_free_count();

    if (frames != frames_seen) {
        frames_seen = frames;
        deadline_ns = now + PATIENCE_NS;
    }
    return now >= deadline_ns;
}

static void frames_report(void)
{
    uint64_t now = frame_free_count();

    log_info("frames: %lu free at the end, %lu leaked", now,
             frames_before > now ? frames_before - now : 0);
}

static int end_step(struct work_item *item rv_unused)
{
    bool gone = domains_are_gone();

    if (!gone && !patience_is_over()) {
        return -RV_ERESTART;
    }
    log_line_take();
    if (!gone) {
        log_error("%u domains could not be destroyed in time", domain_count());
    }
    frames_report();
    write_once(ending, 0);
    if (end_restarts) {
        machine_reboot();
    } else {
        machine_poweroff(end_code);
    }
    return 0;
}

void machine_end(unsigned code, bool restart)
{
    if (__atomic_exchange_n(&ending, 1, __ATOMIC_SEQ_CST) != 0) {
        return;
    }
    end_code = code;
    end_restarts = restart;
    deadline_ns = arch_time_ns() + PATIENCE_NS;
    work_queue(&end_work);
}
