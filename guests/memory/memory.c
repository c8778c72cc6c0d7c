/* SPDX-License-Identifier: MIT */
/*
 * Memory operations: the memory map, the reservation, giving frames back and
 * getting them again, and the places where shared pages can be mapped. What a
 * hole does is in `attack-hole`.
 *
 * Environments: all.
 */

#include "guest.h"

const char test_title[] = "memory: map, reservation, ballooning, physmap";

#define BALLOON_PAGES 64u
#define CYCLES 100u
#define PATTERN 0x5ec2e75a

/* A guest frame above all RAM of a small domain, below 4 GiB. */
#define FREE_GFN 0x60000ul

static xen_pfn_t frames[BALLOON_PAGES];

static long reservation(unsigned int cmd, unsigned int count)
{
    struct xen_memory_reservation r = {
        .nr_extents = count,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(r.extent_start, frames);
    return memory_op(cmd, &r);
}

static long pages_now(void)
{
    domid_t self = DOMID_SELF;

    return memory_op(XENMEM_current_reservation, &self);
}

static void map_is_sane(void)
{
    const struct hvm_memmap_table_entry *e;
    uint64_t ram = 0, last = 0;
    unsigned int i;

    for (i = 0; (e = mem_map_entry(i)); i++) {
        CHECK(e->size > 0);
        CHECK(e->addr >= last);
        last = e->addr + e->size;
        if (e->type == XEN_HVM_MEMMAP_TYPE_RAM) {
            ram += e->size;
        }
    }
    CHECK(i > 0);
    CHECK(mem_is_ram((uintptr_t)image_start));
    CHECK(mem_is_ram((uintptr_t)image_end - 1));
    CHECK(!mem_is_ram(LAPIC_ADDR));
    /* Pages handed out but outside the map are few: console, store, ... */
    CHECK(pages_now() >= (long)(ram >> 12));
    CHECK(pages_now() <= (long)(ram >> 12) + 512);
}

static void map_call(void)
{
    static uint8_t raw[20 * 64];
    struct xen_memory_map op = {.nr_entries = 64};
    long rc;

    set_xen_guest_handle(op.buffer, (void *)raw);
    rc = memory_op(XENMEM_memory_map, &op);
    /* A domain whose builder gave no map has none to ask for. */
    if (rc == -XEN_ENOSYS) {
        printf("no memory map by hypercall\n");
        return;
    }
    CHECK_EQ(rc, 0);
    CHECK(op.nr_entries > 0 && op.nr_entries < 64);
}

static void balloon_frames(uint8_t *block)
{
    unsigned int i;

    for (i = 0; i < BALLOON_PAGES; i++) {
        frames[i] = PFN(block) + i;
        *(volatile uint32_t *)(block + i * PAGE_SIZE) = PATTERN;
    }
}

static void balloon_cycles(void)
{
    uint8_t *block = pages_alloc(BALLOON_PAGES, 1);
    long start = pages_now();
    unsigned int i, cycle;

    if (!block) {
        report_error("no memory for the balloon");
        return;
    }
    for (cycle = 0; cycle < CYCLES; cycle++) {
        balloon_frames(block);
        CHECK_EQ(reservation(XENMEM_decrease_reservation, BALLOON_PAGES),
                 BALLOON_PAGES);
        CHECK_EQ(pages_now(), start - (long)BALLOON_PAGES);
        CHECK_EQ(reservation(XENMEM_populate_physmap, BALLOON_PAGES),
                 BALLOON_PAGES);
        CHECK_EQ(pages_now(), start);
        for (i = 0; i < BALLOON_PAGES; i++) {
            uint32_t *p = (uint32_t *)(block + i * PAGE_SIZE);

            WRITE_ONCE(*p, i);
            CHECK_EQ(READ_ONCE(*p), i);
        }
    }
    pages_free(block, BALLOON_PAGES);
}

#ifdef __x86_64__
static void partial_results(void)
{
    uint8_t *block = pages_alloc(4, 1);
    unsigned int i;

    for (i = 0; i < 4; i++) {
        frames[i] = PFN(block) + i;
    }
    /* No such frame: what comes before it is done, and counted. */
    frames[2] = ~(xen_pfn_t)0;
    CHECK_EQ(reservation(XENMEM_decrease_reservation, 2), 2);
    CHECK_EQ(reservation(XENMEM_populate_physmap, 3), 2);
    WRITE_ONCE(*(uint32_t *)block, 1);
    CHECK_EQ(READ_ONCE(*(uint32_t *)block), 1);
    pages_free(block, 4);
}
#endif

static void reservation_limit(void)
{
    unsigned int i, got = 0;
    long rc;

    for (i = 0; i < BALLOON_PAGES; i++) {
        frames[i] = FREE_GFN + i;
    }
    rc = reservation(XENMEM_populate_physmap, BALLOON_PAGES);
    CHECK(rc >= 0 && rc <= (long)BALLOON_PAGES);
    got = (unsigned int)rc;
    printf("%u frames beyond the memory map were granted\n", got);
    if (got) {
        WRITE_ONCE(*(uint32_t *)(FREE_GFN << 12), PATTERN);
        CHECK_EQ(READ_ONCE(*(uint32_t *)(FREE_GFN << 12)), PATTERN);
        CHECK_EQ(reservation(XENMEM_decrease_reservation, got), got);
    }
}

static void shared_info_moves(void)
{
    uint8_t *page = page_alloc();
    shared_info_t *moved = (shared_info_t *)page;
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = PFN(page),
    };
    unsigned long mark = 0x1234;

    shared_info()->arch.max_pfn = mark;
    CHECK_EQ(memory_op(XENMEM_add_to_physmap, &map), 0);
    CHECK_EQ(READ_ONCE(moved->arch.max_pfn), mark);
    map.gpfn = PFN(shared_info());
    CHECK_EQ(memory_op(XENMEM_add_to_physmap, &map), 0);
    CHECK_EQ(READ_ONCE(shared_info()->arch.max_pfn), mark);
    /* The frame that held it in between is empty now: give it RAM again. */
    frames[0] = PFN(page);
    CHECK_EQ(reservation(XENMEM_populate_physmap, 1), 1);
    WRITE_ONCE(*(uint32_t *)page, 7);
    CHECK_EQ(READ_ONCE(*(uint32_t *)page), 7);
}

static void remove_frame(void)
{
    uint8_t *page = page_alloc();
    struct xen_remove_from_physmap op = {
        .domid = DOMID_SELF,
        .gpfn = PFN(page),
    };

    CHECK_EQ(memory_op(XENMEM_remove_from_physmap, &op), 0);
    CHECK(memory_op(XENMEM_remove_from_physmap, &op) < 0);
}

void test_main(void)
{
    map_is_sane();
    map_call();
    balloon_cycles();
#ifdef __x86_64__
    /* 32-bit frame numbers are all within what an address can name. */
    partial_results();
#endif
    reservation_limit();
    shared_info_moves();
    remove_frame();
}
