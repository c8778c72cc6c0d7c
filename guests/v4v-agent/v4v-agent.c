/* SPDX-License-Identifier: MIT */
/*
 * The agent of a control domain: takes requests about messages between domains
 * from its console and answers there (see agent.h). It never ends.
 *
 * Environments: pvh64, in a domain with the control role.
 */
#include "agent.h"
#include "domctl.h"
#include "guest.h"
#include "v4v.h"

const char test_title[] = "v4v-agent: answers requests on its console";

#define LOOK_AGAIN (1000 * MS)
#define REMEMBERED 4u

/* What was answered lately, for requests that come again. */
static struct {
    size_t request_len; /* 0: empty */
    char request[FRAME_REQUEST_MAX];
    size_t len;
    char frame[FRAME_ROOM(FRAME_PAYLOAD_MAX)];
} memory[REMEMBERED];
static unsigned int memory_next;

static struct xen_domctl_getdomaininfo infos[AGENT_RECORDS];

static uint32_t domain_flags(const struct xen_domctl_getdomaininfo *info)
{
    return (info->flags & XEN_DOMINF_shutdown ? DOMAIN_SHUTDOWN : 0) |
           (info->flags & XEN_DOMINF_dying ? DOMAIN_DYING : 0) |
           (info->flags & XEN_DOMINF_paused ? DOMAIN_PAUSED : 0);
}

static long domains_list(uint32_t first, struct agent_domain *out, uint32_t n)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_getdomaininfolist,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
        .u.getdomaininfolist = {.first_domain = (domid_t)first,
                                .max_domains = n},
    };
    uint32_t count;
    long rc;

    if (first >= DOMID_FIRST_RESERVED) {
        return 0;
    }
    set_xen_guest_handle(op.u.getdomaininfolist.buffer, infos);
    rc = hypercall(__HYPERVISOR_sysctl, (unsigned long)&op, 0, 0, 0, 0);
    if (rc) {
        return rc;
    }
    count = op.u.getdomaininfolist.num_domains;
    for (uint32_t i = 0; i < count; i++) {
        out[i].id = infos[i].domain;
        out[i].flags = domain_flags(&infos[i]);
    }
    return (long)count;
}

static struct agent_ops ops = {.v4v = v4v_op, .domains = domains_list};

static bool answer_again(const char *request, size_t len)
{
    for (unsigned int i = 0; i < REMEMBERED; i++) {
        if (len && memory[i].request_len == len &&
            memcmp(memory[i].request, request, len) == 0) {
            console_write(memory[i].frame, memory[i].len);
            return true;
        }
    }
    return false;
}

static void request_take(void *ctx, char kind, const char *payload, size_t len)
{
    static char answer[FRAME_PAYLOAD_MAX];
    unsigned int i = memory_next % REMEMBERED;

    (void)ctx;
    if (kind != FRAME_V4V || len > FRAME_REQUEST_MAX ||
        answer_again(payload, len)) {
        return;
    }
    memory_next++;
    memcpy(memory[i].request, payload, len);
    memory[i].request_len = len;
    memory[i].len =
        frame_encode(FRAME_V4V, answer, agent_serve(&ops, payload, len, answer),
                     memory[i].frame);
    console_write(memory[i].frame, memory[i].len);
}

static struct frame_reader reader = {.on_frame = request_take};

void test_main(void)
{
    long port = event_virq(VIRQ_CONSOLE, 0);
    char bytes[256];
    long n;

    if (!CHECK(port > 0)) {
        return;
    }
    ops.self = own_domid();
    printf("v4v-agent: ready\n");
    for (;;) {
        /* Cleared first, so that what comes meanwhile ends the wait. */
        event_clear((unsigned int)port);
        n = console_io(CONSOLEIO_read, sizeof(bytes), bytes);
        if (n < 0) {
            report_error("console: %ld", n);
            return;
        }
        if (n == 0) {
            event_poll((unsigned int)port, clock_ns() + LOOK_AGAIN);
        }
        frame_feed(&reader, bytes, (size_t)n);
    }
}
