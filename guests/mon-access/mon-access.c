/* SPDX-License-Identifier: MIT */
/*
 * Rights of pages, and the way on for who lacks one. Two domains run this
 * image. Each row of the table is run by the watched domain twice: as it is,
 * and with a right missing on the page it uses, while the watcher answers each
 * event with a step or with emulation. Registers, flags, memory, traps and
 * interrupted addresses must be the same in both runs, and the number and kind
 * of events must be as expected.
 *
 * Options: `role=watched`, or `role=monitor` with `peer=`; `answer=emulate`;
 * `only=` number of a row, `verbose=1`. Environments: all.
 */

#include "guest.h"
#include "watch.h"

#include "mon_access.h"

const char test_title[] = "mon-access: page rights and stepping";

uint8_t access_data[4][4096] __attribute__((aligned(4096))) = {{1}};
volatile uint64_t access_result[WATCH_WORDS];

/* ---- Watched ------------------------------------------------------------- */

static void row_run(uint32_t phase)
{
    const struct access_row *row = &access_rows[watch_mailbox.arg[0]];
    unsigned int i;

    (void)phase;
    for (i = 0; i < WATCH_WORDS; i++) {
        access_result[i] = 0;
    }
    irq_disable();
    row->run();
    irq_enable();
    for (i = 0; i < WATCH_WORDS; i++) {
        watch_mailbox.result[i] = access_result[i];
    }
}

static void watched(void)
{
    uint32_t phase = 0;

    access_setup();
    while ((phase = watch_await(phase)) != WATCH_END) {
        if (watch_mailbox.arg[0] < access_row_count) {
            row_run(phase);
        } else {
            access_special(watch_mailbox.arg[0]);
        }
        watch_done(phase);
    }
}

/* ---- Watching ------------------------------------------------------------ */

static struct monitor mon;
static struct ravelin_event last;
static uint32_t taken, odd;
static uint32_t phase_now;
static bool is_verbose;

static void take(uint32_t answer, uint32_t expect_flags)
{
    struct ravelin_event_full full;

    while (monitor_next(&mon, &full)) {
        last = full.event;
        if (last.reason == RAVELIN_REASON_VIOLATION) {
            taken++;
            odd += (last.flags & expect_flags) != expect_flags;
            if (is_verbose) {
                printf("event %u: flags %x rip %lx at %lx\n", taken, last.flags,
                       (unsigned long)last.rip, (unsigned long)last.value);
            }
        }
        if (last.flags & RAVELIN_EVENT_PAUSED) {
            monitor_answer(&mon, &last, answer);
        }
    }
}

/* By the hypervisor, past all rights. */
static void data_clear(void)
{
    static const uint8_t zeroes[4096];
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(access_data); i++) {
        CHECK_EQ(monitor_write(&mon, (uintptr_t)access_data[i], zeroes,
                               sizeof(zeroes)),
                 0);
    }
}

static bool run_once(uint64_t what, uint32_t answer, uint32_t expect_flags,
                     uint64_t result[WATCH_WORDS])
{
    uint64_t arg[WATCH_WORDS] = {what};
    uint64_t end = clock_ns() + 10000 * MS;

    taken = odd = 0;
    data_clear();
    if (!CHECK_EQ(watch_start(&mon, ++phase_now, arg), 0)) {
        return false;
    }
    do {
        monitor_wait(&mon, clock_ns() + 2 * MS);
        take(answer, expect_flags);
        if (watch_is_done(&mon, phase_now, result)) {
            take(answer, expect_flags);
            return true;
        }
    } while (clock_ns() < end);
    return false;
}

uint32_t access_events(void)
{
    return taken;
}

static bool rights_set(const struct access_row *row, unsigned int rights)
{
    bool ok = true;
    unsigned int i;

    for (i = 0; i < row->pages; i++) {
        ok = CHECK_EQ(monitor_access_set(&mon, rights, PFN(row->page()) + i, 1),
                      0) &&
             ok;
    }
    return ok;
}

static void row_check(uint64_t number, uint32_t answer)
{
    const struct access_row *row = &access_rows[number];
    uint64_t plain[WATCH_WORDS], watched_result[WATCH_WORDS];
    unsigned int i;

    if (!CHECK(run_once(number, 0, 0, plain)) || !CHECK_EQ(taken, 0) ||
        !rights_set(row, row->rights)) {
        return;
    }
    if (!CHECK(run_once(number, answer, row->flags, watched_result))) {
        printf("%s: hangs after %u events, last at %lx\n", row->name, taken,
               (unsigned long)last.rip);
    }
    rights_set(row, MONITOR_ACCESS_RWX);
    printf("%s: %u events\n", row->name, taken);
    /* The emulator does a repeated instruction at once. */
    CHECK(taken >= (answer == RAVELIN_ANSWER_EMULATE ? 1 : row->least));
    CHECK(taken <= row->most);
    CHECK_EQ(odd, 0);
    access_plain_settle(number, plain);
    for (i = 0; i < WATCH_WORDS; i++) {
        if (!CHECK_EQ(watched_result[i], plain[i])) {
            printf("%s: word %u differs\n", row->name, i);
        }
    }
}

static void watching(void)
{
    const char *how = cmdline_value("answer");
    uint32_t answer =
        how && how[0] == 'e' ? RAVELIN_ANSWER_EMULATE : RAVELIN_ANSWER_STEP;
    uint64_t only = cmdline_number("only", ~0ull);
    struct ravelin_monitor_status status;
    uint64_t i;

    is_verbose = cmdline_number("verbose", 0) != 0;
    if (!CHECK_EQ(monitor_open(&mon, watch_peer(), 2, false), 0)) {
        return;
    }
    for (i = 0; i < access_row_count; i++) {
        if (only == ~0ull || only == i) {
            row_check(i, answer);
        }
    }
    if (only == ~0ull) {
        access_specials(&mon, run_once);
    }
    CHECK_EQ(monitor_status(&mon, &status), 0);
    CHECK_EQ(status.lost, 0);
    CHECK_EQ(status.refused, 0);
    CHECK_EQ(watch_start(&mon, WATCH_END, NULL), 0);
    CHECK_EQ(monitor_close(&mon), 0);
}

void test_main(void)
{
    watch_main(watching, watched);
}
