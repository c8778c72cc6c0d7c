/* SPDX-License-Identifier: MIT */
/*
 * Control: the life of domains as their control domain sees it. Creates micro
 * guests in every way of ending, pauses and destroys running ones, tries what
 * must be refused, and compares the free frames of the machine before and
 * after `cycles=` (default 100) creations and destructions.
 *
 * Environments: pvh64, in a domain with the control role and 64 MiB.
 */

#include "domain.h"
#include "guest.h"

const char test_title[] = "control: create, pause, destroy, and no frame lost";

#define MICRO_PAGES 1024
#define HEARTBEAT_GFN 9ul
#define WAIT (5000 * MS)
#define WARM_UPS 3

extern const uint8_t micro_image[], micro_image_end[];

static bool micro_create(struct domain *d, const char *cmdline)
{
    struct domain_plan plan = {
        .elf = micro_image,
        .elf_size = (size_t)(micro_image_end - micro_image),
        .cmdline = cmdline,
        .pages = MICRO_PAGES,
        .vcpus = 1,
    };

    return CHECK_EQ(domain_create(&plan, 0, d), 0);
}

static void output_drop(struct domain *d)
{
    char buf[64];

    while (domain_console_read(d, buf, sizeof(buf))) {
    }
}

/* Shutdown code of a domain, or -1 if it still runs after the wait. */
static int end_await(struct domain *d)
{
    uint64_t end = clock_ns() + WAIT;
    struct xen_domctl_getdomaininfo info;

    do {
        output_drop(d);
        if (domctl_info(d->id, &info)) {
            return -1;
        }
        if (info.flags & XEN_DOMINF_shutdown) {
            return (info.flags >> XEN_DOMINF_shutdownshift) &
                   XEN_DOMINF_shutdownmask;
        }
        clock_sleep(MS / 4);
    } while (clock_ns() < end);
    return -1;
}

static void ends_as(const char *cmdline, int code)
{
    struct domain d;

    if (!micro_create(&d, cmdline)) {
        return;
    }
    CHECK_EQ(domctl_unpause(d.id), 0);
    if (!CHECK_EQ(end_await(&d), code)) {
        printf("  %s\n", cmdline);
    }
    CHECK_EQ(domain_destroy(&d), 0);
    CHECK_EQ(domctl_pause(d.id), -XEN_ESRCH);
}

static uint32_t heartbeat(const struct domain *d)
{
    volatile uint32_t *beat = window_map(1, d->id, HEARTBEAT_GFN);
    uint32_t v = 0;

    if (CHECK(beat != NULL)) {
        v = *beat;
        CHECK_EQ(window_unmap(1), 0);
    }
    return v;
}

static bool beats_past(struct domain *d, uint32_t v)
{
    uint64_t end = clock_ns() + WAIT;

    while (heartbeat(d) <= v) {
        output_drop(d);
        if (clock_ns() > end) {
            return false;
        }
        clock_sleep(MS);
    }
    return true;
}

static void pause_and_destroy(void)
{
    struct xen_domctl_getdomaininfo info;
    struct domain d;
    uint32_t v;

    if (!micro_create(&d, "mode=spin")) {
        return;
    }
    clock_sleep(5 * MS);
    CHECK_EQ(heartbeat(&d), 0);
    CHECK_EQ(domctl_unpause(d.id), 0);
    CHECK(beats_past(&d, 100));
    CHECK_EQ(domctl_pause(d.id), 0);
    v = heartbeat(&d);
    clock_sleep(20 * MS);
    CHECK_EQ(heartbeat(&d), v);
    CHECK_EQ(domctl_info(d.id, &info), 0);
    CHECK(info.flags & XEN_DOMINF_paused);
    CHECK(!(info.flags & XEN_DOMINF_shutdown));
    CHECK(info.tot_pages >= MICRO_PAGES);
    CHECK_EQ(info.nr_online_vcpus, 1);
    CHECK_EQ(domctl_unpause(d.id), 0);
    CHECK(beats_past(&d, v));
    /* Destroyed while it runs. */
    CHECK_EQ(domain_destroy(&d), 0);
    CHECK_EQ(domctl_info(d.id, &info), -XEN_ESRCH);
}

static void refusals(void)
{
    struct domain d;
    struct xen_domctl op = {0};
    unsigned int id;

    CHECK_EQ(domctl_pause(0x7fef), -XEN_ESRCH);
    CHECK_EQ(domctl_destroy(0x7fef), -XEN_ESRCH);
    CHECK(domctl_pause(own_domid()) < 0);
    CHECK(domctl_destroy(own_domid()) < 0);
    CHECK(domctl_create(0, &id) < 0);
    CHECK(domctl_create(100000, &id) < 0);
    op.u.createdomain.flags = ~0u;
    op.u.createdomain.max_vcpus = 1;
    CHECK(domctl(XEN_DOMCTL_createdomain, 0, &op) < 0);
    op.interface_version = 0;
    op.cmd = XEN_DOMCTL_getdomaininfo;
    CHECK_EQ(hypercall(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0, 0, 0),
             -XEN_EACCES);
    if (micro_create(&d, "mode=block")) {
        /* Already running, or frames that are not there. */
        CHECK(domctl_vcpu_start(d.id, 7, 0, 0) < 0);
        CHECK(window_map(1, d.id, 0x70000) == NULL);
        CHECK_EQ(domain_destroy(&d), 0);
    }
}

/* Free frames once nothing is on its way back any more. */
static uint64_t free_settled(void)
{
    uint64_t end = clock_ns() + WAIT, now = 0, last;

    do {
        last = now;
        clock_sleep(50 * MS);
        CHECK_EQ(sysctl_free_pages(&now), 0);
    } while (now != last && clock_ns() < end);
    return now;
}

static void cycles(void)
{
    unsigned int n = (unsigned int)cmdline_number("cycles", 100), i;
    uint64_t before = 0, after;
    struct domain d;

    for (i = 0; i < n + WARM_UPS; i++) {
        if (i == WARM_UPS) {
            before = free_settled();
        }
        if (!micro_create(&d, "mode=exit")) {
            return;
        }
        CHECK_EQ(domctl_unpause(d.id), 0);
        CHECK_EQ(end_await(&d), SHUTDOWN_poweroff);
        CHECK_EQ(domain_destroy(&d), 0);
    }
    after = free_settled();
    printf("%u cycles, free frames %llu before, %llu after\n", n,
           (unsigned long long)before, (unsigned long long)after);
    /* More is no leak: others may have given something back. */
    CHECK(after >= before);
}

void test_main(void)
{
    uint64_t pages;

    if (sysctl_free_pages(&pages)) {
        report_skip("not a control domain");
        return;
    }
    ends_as("mode=exit", SHUTDOWN_poweroff);
    ends_as("mode=reboot", SHUTDOWN_reboot);
    if (cmdline_number("crash", 1)) {
        ends_as("mode=crash", SHUTDOWN_crash);
        ends_as("mode=fault",
                cmdline_value("reference") ? SHUTDOWN_reboot : SHUTDOWN_crash);
    }
    pause_and_destroy();
    refusals();
    cycles();
}
