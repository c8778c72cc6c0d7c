/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a p2m: takes it apart in steps of bounded length, so that the
 * domain that asked for it, and everybody else, keeps running meanwhile. Other
 * CPUs may still look frames up; they find fewer and fewer.
 */

#include "p2m_table.h"
#include "ravelin/errno.h"
#include "ravelin/quiesce.h"

/* 4K frames and tables that one step gives back. */
#define STEP_BUDGET 1024u

/* Takes one leaf out; returns its size in frames. */
static uint64_t leaf_drop(struct p2m *p2m, struct p2m_path *path, uint64_t g)
{
    uint64_t span;

    if (path->level > 2 && p2m_path_split(p2m, path, g, 2)) {
        /* No memory to go on in small steps: this one will be long. */
        p2m_path_find(p2m, g, path);
    }
    span = p2m_span(path->level);
    p2m_path_remove(p2m, path, g);
    p2m_path_prune(p2m, path, g);
    return span;
}

static void root_drop(struct p2m *p2m)
{
    mfn_t root = p2m->root;

    write_once(p2m->root.v, INVALID_MFN_RAW);
    p2m->table_count--;
    quiesce_defer_frame_put(root);
}

static int step(struct p2m *p2m)
{
    uint64_t done = 0;
    struct p2m_path path;

    for (uint64_t g = 0, next; g < p2m->gfn_limit; g = next) {
        if (done >= STEP_BUDGET) {
            return -RV_ERESTART;
        }
        p2m_path_find(p2m, g, &path);
        if (p2m_path_raw(&path, g) != 0) {
            done += leaf_drop(p2m, &path, g);
            next = g;
        } else {
            uint64_t span = p2m_span(path.level);

            next = (g & ~(span - 1)) + span;
        }
    }
    root_drop(p2m);
    return 0;
}

int p2m_teardown(struct p2m *p2m)
{
    struct p2m_locked held = p2m_lock(p2m);
    int rc = mfn_is_invalid(p2m->root) ? 0 : step(p2m);

    p2m_unlock(&held);
    return rc;
}
