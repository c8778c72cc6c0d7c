/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The double-fetch detector. While it is on, each byte of guest memory that the
 * core copies in is counted and changed right after the read, as a hostile
 * sibling vCPU could do. A second read of the same byte during the same
 * hypercall is therefore certain to be seen, and to return something else,
 * without any race in the test.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch_inline.h"
#include "fake.h"
#include "fake_internal.h"

#define RANGES_FIRST 64

/* Per byte of RAM. */
#define SEEN 0x01u     /* read in this session */
#define POISONED 0x02u /* holds our value, `original` the guest's */

struct range {
    uint64_t start;
    uint64_t size;
};

static struct {
    uint8_t *state;
    uint8_t *original;
    size_t size;
    struct range *touched;
    size_t touched_count;
    size_t touched_room;
    enum fake_hostility how;
    uint64_t random;
    struct fake_fetch_report report;
} det;

static __thread bool is_on;

void fake_fetch_attach(size_t ram_bytes)
{
    det.size = ram_bytes;
    det.state = mmap(NULL, ram_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    det.original = mmap(NULL, ram_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (det.state == MAP_FAILED || det.original == MAP_FAILED) {
        perror("double-fetch detector: mmap");
        abort();
    }
}

void fake_fetch_detach(void)
{
    if (!det.state) {
        return;
    }
    munmap(det.state, det.size);
    munmap(det.original, det.size);
    free(det.touched);
    memset(&det, 0, sizeof(det));
    is_on = false;
}

static void range_note(uint64_t start, uint64_t size)
{
    if (det.touched_count == det.touched_room) {
        det.touched_room =
            det.touched_room ? 2 * det.touched_room : RANGES_FIRST;
        det.touched =
            realloc(det.touched, det.touched_room * sizeof(*det.touched));
        if (!det.touched) {
            abort();
        }
    }
    det.touched[det.touched_count].start = start;
    det.touched[det.touched_count].size = size;
    det.touched_count++;
}

static uint8_t poison_of(uint8_t byte)
{
    switch (det.how) {
    case FAKE_ZERO:
        return 0;
    case FAKE_ONES:
        return 0xff;
    case FAKE_RANDOM:
        det.random = det.random * 6364136223846793005UL + 1442695040888963407UL;
        return (uint8_t)(det.random >> 56);
    default:
        return (uint8_t)~byte;
    }
}

static void byte_fetched(uint64_t a)
{
    uint8_t *byte = fake_ram_base + a;

    det.report.read_count++;
    if (det.state[a] & SEEN) {
        if (det.report.violation_count++ == 0) {
            det.report.first = hpa(a);
        }
        return;
    }
    det.state[a] = SEEN | POISONED;
    det.original[a] = *byte;
    *byte = poison_of(*byte);
}

static bool is_watched(const void *p, size_t n)
{
    uint64_t a = host_pa(p).v;

    return is_on && n > 0 && a < det.size && n <= det.size - a;
}

static void bytes_fetched(const void *src, size_t n)
{
    if (!is_watched(src, n)) {
        return;
    }
    range_note(host_pa(src).v, n);
    for (size_t i = 0; i < n; i++) {
        byte_fetched(host_pa(src).v + i);
    }
}

void arch_copy_from_guest(void *dst, const void *src, size_t n)
{
    memcpy(dst, src, n);
    bytes_fetched(src, n);
}

/* What the core writes stays. */
static void bytes_written(const void *dst, size_t n)
{
    if (!is_watched(dst, n)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        det.state[host_pa(dst).v + i] &= (uint8_t)~POISONED;
    }
}

void arch_copy_to_guest(void *dst, const void *src, size_t n)
{
    memcpy(dst, src, n);
    bytes_written(dst, n);
}

/* A guest may send what lies in its own ring. */
void arch_copy_guest_to_guest(void *dst, const void *src, size_t n)
{
    memmove(dst, src, n);
    bytes_fetched(src, n);
    bytes_written(dst, n);
}

void arch_clear_guest(void *dst, size_t n)
{
    memset(dst, 0, n);
    bytes_written(dst, n);
}

void fake_fetch_begin(enum fake_hostility how)
{
    if (is_on || !det.state) {
        fprintf(stderr, "double-fetch detector: begin without RAM or end\n");
        abort();
    }
    memset(&det.report, 0, sizeof(det.report));
    det.how = how;
    det.random = 88172645463325252UL;
    is_on = true;
}

static void byte_restore(uint64_t a)
{
    if (det.state[a] & POISONED) {
        fake_ram_base[a] = det.original[a];
    }
    det.state[a] = 0;
}

void fake_fetch_end(struct fake_fetch_report *report)
{
    is_on = false;
    for (size_t i = 0; i < det.touched_count; i++) {
        const struct range *r = &det.touched[i];

        for (uint64_t a = r->start; a < r->start + r->size; a++) {
            byte_restore(a);
        }
    }
    det.touched_count = 0;
    *report = det.report;
}

/* Counted as one read of what is there. */
bool arch_cmpxchg_guest(void *dst, size_t n, uint64_t old, uint64_t value)
{
    uint64_t now = 0;

    arch_copy_from_guest(&now, dst, n);
    if (now != (n < 8 ? old & ((1UL << (8 * n)) - 1) : old)) {
        return false;
    }
    arch_copy_to_guest(dst, &value, n);
    return true;
}
