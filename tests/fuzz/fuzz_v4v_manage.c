/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the two parsers of message management. The input is a request
 * to the agent, whose answer the host must always understand; and it is an
 * answer to the host, which must only believe what has its form.
 */
#include "fuzz.h"

#include <string.h>

#include "agent.h"
#include "public/v4v.h"
#include "v4v_answer.h"

static long rc;

/* Only numbers in range get here; lists come back as full as they can be. */
static long fake_v4v(unsigned int cmd, const void *arg1, const void *arg2,
                     uint32_t arg3, uint32_t arg4)
{
    void *p = (void *)(uintptr_t)arg1;

    require(!arg2 && !arg4 && cmd >= V4VOP_tables_add &&
            cmd <= V4VOP_config_get);
    require(p || cmd == V4VOP_tables_del);
    if (cmd == V4VOP_tables_add) {
        require(((struct v4vtables_rule *)p)->accept <= 1);
    } else if (cmd == V4VOP_ring_list) {
        memset(p, 0xff,
               sizeof(struct v4v_ring_list) +
                   AGENT_RECORDS * sizeof(struct v4v_ring_stat));
    } else if (cmd == V4VOP_tables_counters) {
        memset(p, 0xff,
               sizeof(struct v4vtables_counters) +
                   AGENT_RECORDS * sizeof(struct v4vtables_counter));
    }
    (void)arg3;
    return rc;
}

static long fake_domains(uint32_t first, struct agent_domain *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (struct agent_domain){first, UINT32_MAX};
    }
    return rc ? rc : (long)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct agent_ops ops = {fake_v4v, fake_domains, 1};
    static char text[FRAME_PAYLOAD_MAX + 1];
    struct answer a;
    char *copy;
    size_t n;

    if (size < 1 || size > FRAME_PAYLOAD_MAX) {
        return 0;
    }
    rc = data[0] & 1 ? -(long)(data[0] >> 1) - 1 : 0;
    copy = malloc(size); /* exactly, so that the sanitizer sees its end */
    if (!copy) {
        return 0;
    }
    memcpy(copy, data + 1, size - 1);
    n = agent_serve(&ops, copy, size - 1, text);
    require(n <= FRAME_PAYLOAD_MAX);
    text[n] = '\0';
    require(strlen(text) == n && answer_parse(text, &a));
    copy[size - 1] = '\0';
    if (answer_parse(copy, &a)) {
        require(a.record_count <= ANSWER_RECORDS_MAX &&
                a.head.count <= ANSWER_FIELDS_MAX);
        require(a.status != ANSWER_ERROR || (a.error > 0 && a.error < 4096));
    }
    free(copy);
    return 0;
}
