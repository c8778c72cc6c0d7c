/* SPDX-License-Identifier: MIT */
/*
 * Attack: a domain that takes memory and gives it back, over and over, and
 * scatters a page so that each move makes tables. What it holds of the machine
 * must stay within its limit and a little. The control role is only there to
 * look at the machine's free memory.
 *
 * Environments: pvh64. Memory: 64M.
 */

#include "domctl.h"
#include "guest.h"

const char test_title[] = "attack-hog: taking and giving back";

/* Frames above all RAM of a small domain. */
#define FREE_GFN 0x60000ul
#define FAR_GFN 0x8000000ul
/* Our own RAM that makes room in the limit. */
#define ROOM_FIRST 14848ul
#define ROOM_COUNT 1024u
#define BLOCK_ORDER 9u
#define ROUNDS 200u
#define MOVES 2000u
/* What may be on its way back to the machine, and some for tables. */
#define SLACK_PAGES 1536u

static uint64_t before;
static uint64_t least;

static long resize(unsigned int cmd, unsigned long g, unsigned int order)
{
    xen_pfn_t frame = g;
    struct xen_memory_reservation r = {
        .nr_extents = 1,
        .extent_order = order,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(r.extent_start, &frame);
    return memory_op(cmd, &r);
}

static long move(unsigned long from, unsigned long to)
{
    struct xen_add_to_physmap r = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_gmfn,
        .idx = from,
        .gpfn = to,
    };

    return memory_op(XENMEM_add_to_physmap, &r);
}

static bool look(void)
{
    uint64_t now = 0;

    CHECK_EQ(sysctl_free_pages(&now), 0);
    least = now < least ? now : least;
    return CHECK(before - least <= ROOM_COUNT + SLACK_PAGES);
}

static void take_and_give(void)
{
    for (unsigned int i = 0; i < ROUNDS; i++) {
        if (!CHECK_EQ(resize(XENMEM_populate_physmap, FREE_GFN, BLOCK_ORDER),
                      1) ||
            !CHECK_EQ(
                resize(XENMEM_decrease_reservation, FREE_GFN, BLOCK_ORDER),
                1) ||
            !look()) {
            return;
        }
    }
}

static void scatter(void)
{
    CHECK_EQ(resize(XENMEM_populate_physmap, FREE_GFN, 0), 1);
    CHECK_EQ(move(FREE_GFN, FAR_GFN), 0);
    for (unsigned long i = 0; i < MOVES; i++) {
        if (!CHECK_EQ(move(FAR_GFN * (i % 2 + 1), FAR_GFN * ((i + 1) % 2 + 1)),
                      0) ||
            !look()) {
            return;
        }
    }
    CHECK_EQ(resize(XENMEM_decrease_reservation, FAR_GFN, 0), 1);
}

void test_main(void)
{
    for (unsigned long i = 0; i < ROOM_COUNT; i++) {
        CHECK_EQ(resize(XENMEM_decrease_reservation, ROOM_FIRST + i, 0), 1);
    }
    CHECK_EQ(sysctl_free_pages(&before), 0);
    least = before;
    take_and_give();
    scatter();
    printf("%lu pages free, never less than %lu\n", before, least);
}
