/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the manifest blob. Whatever the bytes, parsing must not touch
 * anything outside them; what parses must survive checking and printing; and
 * accepted values must be inside the ranges of the schema.
 */
#include "fuzz.h"

#include <string.h>

#include "ravelin/manifest.h"

static void on_line(void *ctx, const char *line)
{
    (void)ctx;
    /* Nothing of the blob's may reach a terminal as a control character. */
    for (; *line != '\0'; line++) {
        require(*line >= ' ' && *line <= '~');
    }
}

static void on_mistake(void *ctx, const struct manifest_error *err)
{
    manifest_error_print(err, on_line, ctx);
}

static void require_ranges(const struct manifest *m)
{
    require(m->domain_count >= 1 && m->domain_count <= MANIFEST_DOMAINS_MAX);
    require(m->rule_count <= MANIFEST_RULES_MAX);
    for (uint32_t i = 0; i < m->domain_count; i++) {
        const struct manifest_domain *d = &m->domain[i];

        require(memchr(d->name, '\0', sizeof(d->name)) != NULL);
        require(memchr(d->cmdline, '\0', sizeof(d->cmdline)) != NULL);
        require(d->name[0] != '\0');
        require(d->vcpus >= 1 && d->vcpus <= MANIFEST_VCPUS_MAX);
        require(d->memory >= 1u << 20 && d->memory % 4096 == 0);
        require(d->domid <= MANIFEST_DOMID_MAX);
        require((d->roles & ~ROLE_MASK) == 0 && d->cpus != 0);
    }
}

/* Each domain starts with one thing. */
static void require_starts(const struct manifest *m)
{
    for (uint32_t i = 0; i < m->domain_count; i++) {
        const struct manifest_domain *d = &m->domain[i];

        require((d->kernel[0] == '\0') != (d->firmware[0] == '\0'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct manifest m;
    struct manifest_error err;
    /* An exact and aligned copy, so that any overrun is seen. */
    void *copy = malloc(size + (size == 0));

    require(copy != NULL);
    memcpy(copy, data, size);
    if (manifest_parse(copy, size, &m, &err) != 0) {
        require(err.rule != MANIFEST_OK);
        manifest_error_print(&err, on_line, NULL);
    } else {
        require_ranges(&m);
        if (manifest_check(&m, on_mistake, NULL) == 0) {
            require_starts(&m);
            access_matrix_print(&m, on_line, NULL);
        }
    }
    free(copy);
    return 0;
}
