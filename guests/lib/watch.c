/* SPDX-License-Identifier: MIT */
/*
 * The mailbox of tests with a watched and a watching domain.
 */

#include "watch.h"

#include "guest.h"

#define FIELD(name) ((uintptr_t)&watch_mailbox.name)
#define PAUSE_NS (200000ull)

struct watch_mailbox watch_mailbox __attribute__((aligned(256)));

void watch_main(void (*watching)(void), void (*watched)(void))
{
    const char *role = cmdline_value("role");

    if (role && role[0] == 'm') {
        watching();
    } else {
        watched();
    }
}

uint32_t watch_await(uint32_t last)
{
    uint32_t phase;

    for (;;) {
        phase = __atomic_load_n(&watch_mailbox.phase, __ATOMIC_ACQUIRE);
        if (phase == WATCH_END || phase > last) {
            return phase;
        }
        clock_sleep(PAUSE_NS);
    }
}

void watch_done(uint32_t phase)
{
    __atomic_store_n(&watch_mailbox.done, phase, __ATOMIC_RELEASE);
}

long watch_start(struct monitor *m, uint32_t phase,
                 const uint64_t arg[WATCH_WORDS])
{
    long rc = 0;

    if (arg) {
        rc = monitor_write(m, FIELD(arg), arg, sizeof(watch_mailbox.arg));
    }
    return rc ? rc : monitor_write(m, FIELD(phase), &phase, sizeof(phase));
}

bool watch_is_done(struct monitor *m, uint32_t phase,
                   uint64_t result[WATCH_WORDS])
{
    uint32_t done = 0;

    if (monitor_read(m, FIELD(done), &done, sizeof(done)) != 0 ||
        done != phase) {
        return false;
    }
    return !result || monitor_read(m, FIELD(result), result,
                                   sizeof(watch_mailbox.result)) == 0;
}

unsigned int watch_peer(void)
{
    return (unsigned int)cmdline_number("peer", 1);
}
