/* SPDX-License-Identifier: MIT */
/*
 * What can be known of a 64-bit Linux without its version: execve() leaves the
 * words of the command line and the program's name at the top of the user
 * stack, and the auxiliary vector below them; the kernel's image is mapped in
 * the top 2 GiB, its code executable and, once the kernel has protected it,
 * read-only. The process can rewrite its words, and its page tables, at will;
 * the worst that comes of it is a wrong name.
 */

#include <xen/errno.h>

#include "libmonitor.h"

#define USER_LAST 0x00007fffffffffffull
#define IMAGE_FIRST 0xffffffff80000000ull
#define IMAGE_LAST 0xffffffffbfffffffull /* modules begin behind it */
/* The vDSO and its data may lie above the stack. */
#define TOP_PAGES_MAX 32u
/* Part of the stack that is looked at: words, vectors, and what is between. */
#define STACK_PAGES 4u
#define STACK_BYTES (STACK_PAGES * 4096u)
#define AT_EXECFN 31u
#define ENTRY_FRAME 0x000ffffffffff000ull

/* ---- Finding the stack --------------------------------------------------- */

/* The top of a user stack, copied: byte i of the copy is at `base` + i. */
static struct stack {
    struct monitor *m;
    const struct monitor_space *space;
    unsigned int seen_count;
    bool is_found;
    uint64_t top;   /* address behind the last byte */
    uint64_t base;  /* address of the copy's first byte */
    uint32_t first; /* index of the first byte that could be copied */
    uint32_t name;  /* index of the program's file name */
    uint8_t copy[STACK_BYTES] __attribute__((aligned(8)));
} stack;

static bool is_text(uint8_t c)
{
    return c >= 0x20 && c != 0x7f;
}

/* A stack's last eight bytes are 0, and below them a name ends. */
static bool is_top_of_stack(const uint8_t *page)
{
    uint32_t i;

    for (i = 4088; i < 4096; i++) {
        if (page[i]) {
            return false;
        }
    }
    return !page[4087] && is_text(page[4086]);
}

static bool page_seen(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    struct stack *s = ctx;
    uint8_t *last = s->copy + STACK_BYTES - 4096;

    if (page->size == 4096 && !monitor_read(s->m, page->gpa, last, 4096) &&
        is_top_of_stack(last)) {
        s->is_found = true;
        s->top = gva + 4096;
        return false;
    }
    return ++s->seen_count < TOP_PAGES_MAX;
}

static bool stack_find(struct monitor *m, const struct monitor_space *space)
{
    struct stack *s = &stack;
    unsigned int i;

    s->m = m;
    s->space = space;
    s->seen_count = 0;
    s->is_found = false;
    if (space->levels != 4 ||
        monitor_pages(m, space, 0, USER_LAST, false, page_seen, s) ||
        !s->is_found) {
        return false;
    }
    s->base = s->top - STACK_BYTES;
    s->first = STACK_BYTES - 4096;
    for (i = 1; i < STACK_PAGES; i++) {
        uint32_t at = s->first - 4096;

        if (monitor_read_linear(m, space, s->base + at, s->copy + at, 4096)) {
            break;
        }
        s->first = at;
    }
    for (i = STACK_BYTES - 9; i > s->first && s->copy[i - 1]; i--) {
    }
    s->name = i;
    return true;
}

/* ---- The words ----------------------------------------------------------- */

static uint64_t word_at(const struct stack *s, uint32_t i)
{
    return *(const uint64_t *)(const void *)(s->copy + i);
}

/* Index of the vector's entry that points at the program's file name; 0 if
 * there is none yet. */
static uint32_t vector_find(const struct stack *s)
{
    uint64_t name = s->base + s->name;
    uint32_t i = (s->name & ~7u) - 16;

    for (; i >= s->first + 16 && i < STACK_BYTES; i -= 8) {
        if (word_at(s, i) == AT_EXECFN && word_at(s, i + 8) == name) {
            return i;
        }
    }
    return 0;
}

/* Index of argv[0]'s pointer below the auxiliary vector; 0 if there is none.
 * Between them: the NULL that ends the environment, and that of argv. */
static uint32_t argv_find(const struct stack *s, uint32_t vector)
{
    uint32_t i = vector, count = 0, nulls = 0;

    /* To the entry's own start: pairs, the first with a key below 64. */
    while (i >= s->first + 16 && word_at(s, i - 16) < 64 &&
           word_at(s, i - 16) > 0) {
        i -= 16;
    }
    for (; i >= s->first + 8; i -= 8) {
        uint64_t word = word_at(s, i - 8);

        if (nulls == 2 && word == count) {
            return i;
        }
        count++;
        if (!word) {
            nulls++;
            count = 0;
        }
        if (nulls > 2) {
            return 0;
        }
    }
    return 0;
}

static uint32_t word_put(const struct stack *s, uint32_t at, char *text,
                         uint32_t len)
{
    if (len && len + 1 < MONITOR_PROGRAM_MAX) {
        text[len++] = ' ';
    }
    for (; at < STACK_BYTES && s->copy[at] && len + 1 < MONITOR_PROGRAM_MAX;
         at++) {
        text[len++] = (char)s->copy[at];
    }
    text[len] = '\0';
    return len;
}

static bool words_by_vector(const struct stack *s, char *text)
{
    uint32_t vector = vector_find(s);
    uint32_t i = vector ? argv_find(s, vector) : 0, len = 0;

    if (!i) {
        return false;
    }
    for (; i < vector && word_at(s, i); i += 8) {
        uint64_t at = word_at(s, i) - s->base;

        if (at < s->first || at >= STACK_BYTES) {
            break;
        }
        len = word_put(s, (uint32_t)at, text, len);
    }
    return len > 0;
}

/* While a program is being started there are only the words, with nothing
 * below them: the first is argv[0]. */
static void words_by_place(const struct stack *s, char *text)
{
    uint32_t zeros = 0, i = s->name;

    while (i > s->first && zeros < 16) {
        i--;
        zeros = s->copy[i] ? 0 : zeros + 1;
    }
    i += zeros;
    word_put(s, i < s->name ? i : s->name, text, 0);
}

/* ---- Remembering where the stack is -------------------------------------- */

static void place_find(struct monitor *m, const struct monitor_space *space,
                       uint64_t gva, struct monitor_program_place *place)
{
    uint64_t table = space->root, entry = 0;
    unsigned int level;

    for (level = space->levels; level; level--) {
        uint64_t at =
            table + ((gva >> (12 + 9 * (level - 1))) & 511) * sizeof(entry);

        if (monitor_read(m, at, &entry, sizeof(entry)) || !(entry & 1)) {
            return;
        }
        if (level == 1) {
            place->entry = at;
            place->frame = entry & ENTRY_FRAME;
        }
        table = entry & ENTRY_FRAME;
    }
}

bool monitor_program_is_same(struct monitor *m,
                             const struct monitor_program_place *place)
{
    uint64_t entry = 0;

    return place->entry &&
           !monitor_read(m, place->entry, &entry, sizeof(entry)) &&
           (entry & 1) && (entry & ENTRY_FRAME) == place->frame;
}

enum monitor_program monitor_program_find(struct monitor *m,
                                          const struct monitor_space *space,
                                          char text[MONITOR_PROGRAM_MAX],
                                          struct monitor_program_place *place)
{
    text[0] = '\0';
    place->entry = place->frame = 0;
    if (!stack_find(m, space)) {
        return MONITOR_PROGRAM_NONE;
    }
    place_find(m, space, stack.top - 4096, place);
    if (words_by_vector(&stack, text)) {
        return MONITOR_PROGRAM_RUNS;
    }
    words_by_place(&stack, text);
    return MONITOR_PROGRAM_START;
}

/* ---- The kernel's code --------------------------------------------------- */

struct text_scan {
    struct monitor *m;
    unsigned int access;
    bool is_protecting; /* second pass */
    uint64_t frames;
    uint64_t writable; /* bytes that are executable and writable */
    long rc;
};

static bool text_seen(void *ctx, uint64_t gva, const struct monitor_page *page)
{
    struct text_scan *s = ctx;
    uint32_t count = (uint32_t)(page->size >> 12);

    (void)gva;
    if (!(page->flags & MONITOR_PAGE_EXEC) ||
        (page->flags & MONITOR_PAGE_USER)) {
        return true;
    }
    if (page->flags & MONITOR_PAGE_WRITE) {
        s->writable += page->size;
        return true;
    }
    s->frames += count;
    if (s->is_protecting) {
        s->rc = monitor_access_set(s->m, s->access, page->gpa >> 12, count);
    }
    return s->rc == 0;
}

long monitor_kernel_text_protect(struct monitor *m,
                                 const struct monitor_space *space,
                                 unsigned int access, uint64_t *frames)
{
    struct text_scan s = {.m = m, .access = access};
    long rc =
        monitor_pages(m, space, IMAGE_FIRST, IMAGE_LAST, true, text_seen, &s);

    if (rc || !s.frames || s.writable) {
        return rc ? rc : -XEN_EAGAIN;
    }
    s.frames = 0;
    s.is_protecting = true;
    rc = monitor_pages(m, space, IMAGE_FIRST, IMAGE_LAST, true, text_seen, &s);
    *frames = s.frames;
    return rc ? rc : s.rc;
}
