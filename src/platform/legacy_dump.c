/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a crash dump says about a legacy platform: the last POST codes, which
 * tell how far a firmware came.
 *
 * Threat surface: the codes are the guest's bytes, printed as numbers.
 */
#include "legacy_private.h"

#include "ravelin/log.h"

void legacy_dump(const struct domain *d)
{
    char text[16 + 3 * LEGACY_POST_KEPT];

    if (d->legacy == NULL) {
        return;
    }
    legacy_debug_post_text(&d->legacy->debug, text, sizeof(text));
    log_error("firmware: %s", text[0] != '\0' ? text : "no POST codes");
}
