/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a legacy platform: what is still on the screen goes out, then
 * frames of the domain are let go, and at last, when nobody can hold a pointer
 * any more, the memory of the devices.
 */
#include "legacy_private.h"

#include "ravelin/errno.h"
#include "ravelin/frame_pool.h"
#include "ravelin/guest_copy.h"

static void devices_stop(struct legacy_platform *p)
{
    spin_lock(&p->lock);
    if (!p->is_dead && p->text_frame_count == LEGACY_VGA_TEXT_PAGES) {
        legacy_screen_finish(p->screen, &p->vga);
    }
    if (!p->is_dead) {
        legacy_debug_flush(&p->debug);
    }
    p->is_dead = true;
    spin_unlock(&p->lock);
    timer_cancel(&p->timer);
}

int legacy_release(struct domain *d)
{
    struct legacy_platform *p = d->legacy;
    int rc;

    if (p == NULL) {
        return 0;
    }
    devices_stop(p);
    while (p->text_frame_count > 0) {
        guest_page_unpin(p->text_frame[--p->text_frame_count]);
    }
    rc = block_memory_destroy(&p->disk);
    return rc != 0 ? rc : block_memory_destroy(&p->cdrom);
}

void legacy_free(struct domain *d)
{
    struct legacy_platform *p = d->legacy;

    if (p == NULL) {
        return;
    }
    d->legacy = NULL;
    if (p->screen != NULL) {
        pages_free(p->screen, LEGACY_SCREEN_ORDER);
    }
    if (p->ide_buffer != NULL) {
        pages_free(p->ide_buffer, LEGACY_IDE_BUFFER_ORDER);
    }
    pages_free(p, LEGACY_PLATFORM_ORDER);
}
