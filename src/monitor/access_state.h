/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page rights keep per domain, and what the event engine calls when a
 * ring goes away. Everything else of them stands in the p2m.
 */
#pragma once

#include "ravelin/domain.h"

struct monitor_access {
    uint64_t violation_count; /* atomic; accesses that a right forbade */
    uint64_t forgiven_count;  /* atomic; frames freed as nobody listened */
};

/**
 * Nobody watches `d` any more: new pages get all rights. Frames that were
 * restricted get theirs back one by one, at the first access that one forbids.
 * Any CPU; no lock of rank P2M or above held.
 */
void monitor_access_detach(struct domain *d);
