/* SPDX-License-Identifier: MIT */
/*
 * Launch: a control domain that starts other test guests, shows what they
 * print, and waits until all have ended. With it every guest can be run as an
 * ordinary domain on any hypervisor of this ABI that starts one privileged
 * domain, and several guests at once.
 *
 * Environments: pvh64. The first module is a cpio archive ("newc") with the
 * images and a file `plan`; each line of the plan is
 *     <file in the archive> <MiB> <vCPUs> [command line]
 * Domains get the ids 1, 2, ... in the order of the lines. After the last has
 * ended, `[N] end: <reason>` tells why for each, and memory must be as before.
 */

#include "domain.h"
#include "guest.h"

const char test_title[] = "launch: runs the guests of an archive";

#define DOMAINS_MAX 8
#define NEWC_HEADER 110
#define TIMEOUT_DEFAULT 60

struct file {
    const char *data;
    size_t size;
};

struct running {
    struct domain domain;
    bool ended;
    char line[256];
    size_t used;
};

static struct running domains[DOMAINS_MAX];
static unsigned int domain_count;

static size_t hex_field(const char *header, unsigned int field)
{
    const char *p = header + 6 + field * 8;
    size_t v = 0;
    unsigned int i;

    for (i = 0; i < 8; i++) {
        char c = p[i] | 0x20;

        v = v * 16 + (size_t)(c <= '9' ? (p[i] - '0') : c - 'a' + 10);
    }
    return v;
}

static struct file archive_find(const char *name)
{
    const struct hvm_modlist_entry *m =
        (const void *)(uintptr_t)start_info()->modlist_paddr;
    const char *p = (const char *)(uintptr_t)m->paddr, *end = p + m->size;
    struct file none = {NULL, 0};

    while (p + NEWC_HEADER < end && !strncmp(p, "070701", 6)) {
        size_t size = hex_field(p, 6), name_size = hex_field(p, 11);
        const char *data = p + ((NEWC_HEADER + name_size + 3) & ~3ul);

        if (!strncmp(p + NEWC_HEADER, name, name_size)) {
            return (struct file){data, size};
        }
        p = data + ((size + 3) & ~3ul);
    }
    return none;
}

static size_t word_copy(const char **p, char *buf, size_t size)
{
    size_t n = 0;

    while (**p && **p != ' ' && **p != '\n' && n + 1 < size) {
        buf[n++] = *(*p)++;
    }
    buf[n] = '\0';
    while (**p == ' ') {
        (*p)++;
    }
    return n;
}

static bool line_start(const char *p)
{
    static char name[64], number[16], args[512];
    struct domain_plan plan = {.cmdline = args};
    struct running *r = &domains[domain_count];
    struct file f;
    size_t n = 0;
    long rc;

    word_copy(&p, name, sizeof(name));
    f = archive_find(name);
    plan.elf = f.data;
    plan.elf_size = f.size;
    word_copy(&p, number, sizeof(number));
    plan.pages = (unsigned int)u64_parse(number) << 8;
    word_copy(&p, number, sizeof(number));
    plan.vcpus = (unsigned int)u64_parse(number);
    while (*p && *p != '\n' && n + 1 < sizeof(args)) {
        args[n++] = *p++;
    }
    args[n] = '\0';
    if (!f.data) {
        report_error("no file %s in the archive", name);
        return false;
    }
    rc = domain_create(&plan, domain_count, &r->domain);
    if (rc) {
        report_error("creating %s: %ld", name, rc);
        return false;
    }
    printf("[%u] %s: %u pages, %u vCPUs: %s\n", r->domain.id, name, plan.pages,
           plan.vcpus, args);
    domain_count++;
    return true;
}

static void plan_start(void)
{
    struct file plan = archive_find("plan");
    const char *p = plan.data, *end = p + plan.size;
    unsigned int i;

    while (p && p < end && domain_count < DOMAINS_MAX) {
        if (*p != '\n' && !line_start(p)) {
            break;
        }
        while (p < end && *p != '\n') {
            p++;
        }
        p++;
    }
    for (i = 0; i < domain_count; i++) {
        CHECK_EQ(domctl_unpause(domains[i].domain.id), 0);
    }
}

static void output_show(struct running *r)
{
    char c;

    while (domain_console_read(&r->domain, &c, 1)) {
        if (c != '\n' && r->used + 1 < sizeof(r->line) - 8) {
            r->line[r->used++] = c;
            continue;
        }
        r->line[r->used] = '\0';
        printf("[%u] %s\n", r->domain.id, r->line);
        r->used = 0;
    }
}

static const char *end_name(uint32_t flags)
{
    static const char *const names[] = {"poweroff", "reboot",   "suspend",
                                        "crash",    "watchdog", "soft reset"};
    uint32_t code =
        (flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;

    return code < ARRAY_SIZE(names) ? names[code] : "unknown";
}

static unsigned int running_poll(void)
{
    struct xen_domctl_getdomaininfo info;
    unsigned int i, alive = 0;

    for (i = 0; i < domain_count; i++) {
        struct running *r = &domains[i];

        if (r->ended) {
            continue;
        }
        output_show(r);
        if (domctl_info(r->domain.id, &info)) {
            report_failure("domain %u has vanished", r->domain.id);
            r->ended = true;
        } else if (info.flags & XEN_DOMINF_shutdown) {
            output_show(r);
            printf("[%u] end: %s\n", r->domain.id, end_name(info.flags));
            r->ended = true;
        } else {
            alive++;
        }
    }
    return alive;
}

void test_main(void)
{
    uint64_t before = 0, after = 0, end;
    unsigned int i;

    if (!start_info()->nr_modules) {
        report_skip("no archive given");
        return;
    }
    if (sysctl_free_pages(&before)) {
        report_skip("not a control domain");
        return;
    }
    plan_start();
    end = clock_ns() + cmdline_number("timeout", TIMEOUT_DEFAULT) * 1000 * MS;
    while (running_poll()) {
        if (clock_ns() > end) {
            report_error("time is over");
            break;
        }
        event_poll(domains[0].domain.console_port, clock_ns() + 5 * MS);
    }
    for (i = 0; i < domain_count; i++) {
        CHECK_EQ(domain_destroy(&domains[i].domain), 0);
    }
    /* What other CPUs may still look at is freed a little later. */
    end = clock_ns() + 500 * MS;
    do {
        CHECK_EQ(sysctl_free_pages(&after), 0);
    } while (after < before && clock_ns() < end);
    printf("free frames before %llu after %llu\n", (unsigned long long)before,
           (unsigned long long)after);
}
