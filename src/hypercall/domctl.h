/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of domctl and sysctl share. Their structure has been read
 * once, its version, padding and target checked, before an operation runs.
 */
#pragma once

#include "public/domctl.h"

#include "handlers.h"

/* An operation's result that asks for its structure to be written back. */
#define CTL_REPLY 1

/* `d` is NULL for createdomain only. 0, CTL_REPLY, -errno or -ERESTART. */
typedef int (*domctl_fn)(struct vcpu *v, struct domain *d,
                         struct xen_domctl *ctl);

#define SUBOP_domctl(name, ...) \
    int domctl_##name(struct vcpu *v, struct domain *d, struct xen_domctl *ctl);
#include "table.def"

/** What getdomaininfo and getdomaininfolist tell of `d`. */
void domain_info_fill(struct domain *d, struct xen_domctl_getdomaininfo *out);
