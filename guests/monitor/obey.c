/* SPDX-License-Identifier: MIT */
/*
 * Modes by name, and the time spent in each.
 */

#include "obey.h"

#include "guest.h"

enum mode { MODE_OFF, MODE_SYNC, MODE_ASYNC, MODE_FILTERED, MODE_COUNT };

static const struct {
    const char *name;
    uint32_t mode;
    uint32_t filters;
} modes[MODE_COUNT] = {
    [MODE_OFF] = {"off", HVMPME_mode_disabled, 0},
    [MODE_SYNC] = {"sync", HVMPME_mode_sync, 0},
    [MODE_ASYNC] = {"async", HVMPME_mode_async, 0},
    [MODE_FILTERED] = {"filtered", HVMPME_mode_sync, 1},
};

/* No page table is at the end of the address space. */
static const struct ravelin_range nothing = {~0ull >> 12, ~0ull >> 12};

static uint64_t spent[MODE_COUNT]; /* ns */
static uint64_t since;
static unsigned int current = MODE_COUNT;

static void mode_set(struct monitor *m, unsigned int mode)
{
    CHECK_EQ(
        monitor_filter(m, RAVELIN_FILTER_CR3, &nothing, modes[mode].filters),
        0);
    CHECK_EQ(monitor_listen(m, RAVELIN_REASON_CR3, modes[mode].mode), 0);
}

static void times_print(void)
{
    uint32_t off = (uint32_t)u64_divide(spent[MODE_OFF], 1000, NULL);
    unsigned int i;

    if (!CHECK(off > 0)) {
        return;
    }
    for (i = MODE_SYNC; i < MODE_COUNT; i++) {
        uint32_t rest;
        uint64_t ratio = u64_divide(spent[i], off, NULL); /* thousandths */

        ratio = u64_divide(ratio, 1000, &rest);
        printf("BENCH fork_exec_cr3_%s %llu.%03u ratio\n", modes[i].name,
               (unsigned long long)ratio, rest);
    }
}

void obey_mark(struct monitor *m, const char *text, uint64_t time)
{
    unsigned int i;

    if (strncmp(text, "mode ", 5)) {
        return;
    }
    if (current < MODE_COUNT) {
        spent[current] += time - since;
    }
    since = time;
    current = MODE_COUNT;
    for (i = 0; i < MODE_COUNT; i++) {
        if (!strncmp(text + 5, modes[i].name, strlen(modes[i].name) + 1)) {
            current = i;
            mode_set(m, i);
        }
    }
    if (current == MODE_COUNT) {
        mode_set(m, MODE_OFF);
        times_print();
    }
}
