/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A refused VM entry is never silent: the rules of src/explain are tried on
 * what the backend handed to the processor, and the domain's dump begins with
 * those that are broken.
 *
 * Threat surface: the state is partly the guest's choice. It is compared and
 * printed; the rules read nothing else.
 */

#include "ravelin/entry_check.h"
#include "ravelin/explain.h"
#include "ravelin/log.h"
#include "ravelin/vmexit.h"

static void line_log(void *ctx rv_unused, const char *text)
{
    log_error("%s", text);
}

static void finding_log(void *ctx, const struct explain_finding *f)
{
    explain_text_finding(ctx, f);
}

void entry_refused(struct vcpu *v)
{
    struct explain_text to = {line_log, NULL, NULL};
    struct explain_snapshot s;
    unsigned broken;

    log_error("VM entry refused: domain %u (%s), vcpu %u", v->domain->id,
              v->domain->name, v->id);
    hv->explain(v, &s);
    broken = explain_check(&s, finding_log, &to);
    if (broken == 0) {
        log_error("  no known rule is broken: the reason is in the state below "
                  "or in what this processor supports");
    }
    domain_crash(v->domain, v, "VM entry refused: guest state breaks %u rule%s",
                 broken, broken == 1 ? "" : "s");
}
