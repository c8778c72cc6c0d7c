/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the semantic checks share: where they report to. Private to
 * src/manifest/check*.c.
 */
#pragma once

#include "ravelin/manifest.h"

struct check {
    const struct manifest *m;
    manifest_report_fn report;
    void *ctx;
    unsigned int error_count;
};

/** Reports a mistake in domain @domain; @detail may be NULL. */
void check_fail_domain(struct check *c, uint32_t domain,
                       enum manifest_field field, enum manifest_rule rule,
                       const char *detail);

/** Reports a mistake in v4v rule @item. */
void check_fail_rule(struct check *c, uint32_t item, enum manifest_field field,
                     enum manifest_rule rule, const char *detail);

/** All rules about who watches whom. */
void check_monitors(struct check *c);

/** All rules about firmware, disks and what comes with them. */
void check_firmware(struct check *c, uint32_t i);

/** All rules about the v4v rules. */
void check_firewall(struct check *c);
