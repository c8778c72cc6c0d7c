/* SPDX-License-Identifier: MIT */
/*
 * Micro: the domain that `control` creates. It counts in a word that others
 * can look at, and ends the way `mode=` says: exit, reboot, crash (SHUTDOWN
 * codes), fault (triple fault), spin or block for ever.
 *
 * Environments: pvh64, as part of `control`; it gives no verdict of its own.
 */

#include "guest.h"

const char test_title[] = "micro: a domain to be controlled";

/* Word that the control domain reads: the heartbeat of this domain. */
#define HEARTBEAT 0x9000ul

static void end_with(unsigned int reason)
{
    struct sched_shutdown s = {.reason = reason};

    sched_op(SCHEDOP_shutdown, &s);
}

static void triple_fault(void)
{
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) none = {0, 0};

    asm volatile("lidt %0; int3" ::"m"(none));
}

void test_main(void)
{
    volatile uint32_t *beat = (volatile uint32_t *)HEARTBEAT;
    const char *mode = cmdline_value("mode");

    *beat = 1;
    if (!mode || !strncmp(mode, "exit", 4)) {
        end_with(SHUTDOWN_poweroff);
    } else if (!strncmp(mode, "reboot", 6)) {
        end_with(SHUTDOWN_reboot);
    } else if (!strncmp(mode, "crash", 5)) {
        end_with(SHUTDOWN_crash);
    } else if (!strncmp(mode, "fault", 5)) {
        triple_fault();
    }
    for (;;) {
        (*beat)++;
        if (mode && !strncmp(mode, "block", 5)) {
            clock_sleep(1000000 * MS);
        }
    }
}
