/* SPDX-License-Identifier: MIT */
/*
 * Attack: a triple fault. The domain must end, with a dump that names the
 * triple fault; nothing else may notice.
 *
 * Environments: all. Ends by a crash: there is no verdict line.
 * `delay=` milliseconds pass first.
 */

#include "guest.h"

const char test_title[] = "attack-triple-fault: no way to deliver an exception";

void test_main(void)
{
    struct {
        uint16_t limit;
        uintptr_t base;
    } __attribute__((packed)) none = {0, 0};

    clock_sleep(cmdline_number("delay", 0) * MS);
    printf("Expect crash: triple fault\n");
    console_drain();
    asm volatile("lidt %0; ud2" ::"m"(none));
    report_failure("still running after a triple fault");
}
