/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between guest-linear addresses and snapshots of ours. Addresses and
 * lengths are the guest's; each byte of guest memory is touched once per call,
 * by a block move that the compiler cannot see through.
 */

#include "ravelin/guest_copy.h"

#include "ravelin/errno.h"
#include "ravelin/monitor_access.h"
#include "walk_cache.h"

static inline uint64_t page_offset(uint64_t a)
{
    return a & ~PAGE_MASK;
}

/* Bytes from `a` to the end of its page, at most `n`. */
static size_t page_part(uint64_t a, size_t n)
{
    size_t room = PAGE_SIZE - page_offset(a);

    return rv_min(room, n);
}

/*
 * The page of `a` for a copy of a hypercall, or (with `fault`) of somebody who
 * wants to know what is wrong with it and has his own way to a monitor. NULL:
 * it cannot be reached. Where a monitor has let a copy pass, pointer and type
 * are one look.
 */
static rv_noinline uint8_t *page_get(struct vcpu *v, uint64_t a, uint8_t access,
                                     bool user, struct guest_fault *fault)
{
    const struct walk_entry *e =
        walk_cache_get(v, a, access, user, true, fault);
    gpa_t at;

    if (likely(e)) {
        return e->page;
    }
    if (fault || !monitor_copy_permits(v, gva(a), access, &at)) {
        return NULL;
    }
    return guest_frame_ptr(v->domain, gpa_to_gfn(at), access);
}

static rv_noinline int copy_in(struct vcpu *v, void *dst, uint64_t src,
                               size_t n, uint8_t access, bool user,
                               struct guest_fault *fault)
{
    while (n > 0) {
        size_t part = page_part(src, n);
        const uint8_t *page = page_get(v, src, access, user, fault);

        if (!page) {
            return -RV_EFAULT;
        }
        arch_copy_from_guest(dst, page + page_offset(src), part);
        dst = (uint8_t *)dst + part;
        src += part;
        n -= part;
    }
    return 0;
}

static rv_noinline int copy_out(struct vcpu *v, uint64_t dst, const void *src,
                                size_t n, bool user, struct guest_fault *fault)
{
    while (n > 0) {
        size_t part = page_part(dst, n);
        uint8_t *page = page_get(v, dst, ACCESS_WRITE, user, fault);

        if (!page) {
            return -RV_EFAULT;
        }
        arch_copy_to_guest(page + page_offset(dst), src, part);
        src = (const uint8_t *)src + part;
        dst += part;
        n -= part;
    }
    return 0;
}

int guest_copy_in(struct vcpu *v, void *dst, struct guest_ref src, size_t n)
{
    const struct walk_entry *e =
        walk_cache_hit(v, src.gva, guest_walk_need(ACCESS_READ, false), true);

    if (likely(e && n <= PAGE_SIZE - page_offset(src.gva))) {
        arch_copy_from_guest(dst, e->page + page_offset(src.gva), n);
        return 0;
    }
    return copy_in(v, dst, src.gva, n, ACCESS_READ, false, NULL);
}

/* From one page to wherever the frames continue. */
static void frames_write(const mfn_t *frames, uint64_t to, const uint8_t *from,
                         size_t n)
{
    while (n > 0) {
        size_t part = page_part(to, n);
        uint8_t *page = host_ptr(mfn_to_hpa(frames[to >> PAGE_SHIFT]));

        arch_copy_guest_to_guest(page + page_offset(to), from, part);
        to += part;
        from += part;
        n -= part;
    }
}

int guest_copy_to_frames(struct vcpu *v, const mfn_t *frames, uint64_t to,
                         struct guest_ref src, size_t n)
{
    const uint8_t need = guest_walk_need(ACCESS_READ, false);

    while (n > 0) {
        size_t part = page_part(src.gva, n);
        const struct walk_entry *e = walk_cache_hit(v, src.gva, need, true);
        const uint8_t *page;

        if (likely(e)) {
            page = e->page;
        } else {
            page = page_get(v, src.gva, ACCESS_READ, false, NULL);
            if (!page) {
                return -RV_EFAULT;
            }
        }
        frames_write(frames, to, page + page_offset(src.gva), part);
        to += part;
        src.gva += part;
        n -= part;
    }
    return 0;
}

int guest_copy_out(struct vcpu *v, struct guest_ref dst, const void *src,
                   size_t n)
{
    const struct walk_entry *e =
        walk_cache_hit(v, dst.gva, guest_walk_need(ACCESS_WRITE, false), true);

    if (likely(e && n <= PAGE_SIZE - page_offset(dst.gva))) {
        arch_copy_to_guest(e->page + page_offset(dst.gva), src, n);
        return 0;
    }
    return copy_out(v, dst.gva, src, n, false, NULL);
}

int guest_copy_probe(struct vcpu *v, struct guest_ref dst, size_t n)
{
    while (n > 0) {
        size_t part = page_part(dst.gva, n);

        if (!page_get(v, dst.gva, ACCESS_WRITE, false, NULL)) {
            return -RV_EFAULT;
        }
        dst.gva += part;
        n -= part;
    }
    return 0;
}

int guest_linear_read(struct vcpu *v, void *dst, gva_t src, size_t n,
                      uint8_t access, bool user, struct guest_fault *fault)
{
    const struct walk_entry *e =
        walk_cache_hit(v, src.v, guest_walk_need(access, user), true);

    if (likely(e && n <= PAGE_SIZE - page_offset(src.v))) {
        arch_copy_from_guest(dst, e->page + page_offset(src.v), n);
        return 0;
    }
    return copy_in(v, dst, src.v, n, access, user, fault);
}

bool guest_code_matches(struct vcpu *v, gva_t at, bool user,
                        const uint64_t bytes[2])
{
    const struct walk_entry *e =
        walk_cache_hit(v, at.v, guest_walk_need(ACCESS_EXEC, user), true);
    uint64_t now[2];

    if (unlikely(!e || page_offset(at.v) > PAGE_SIZE - sizeof(now))) {
        return false;
    }
    arch_copy16_from_guest(now, e->page + page_offset(at.v));
    return ((now[0] ^ bytes[0]) | (now[1] ^ bytes[1])) == 0;
}

int guest_linear_write(struct vcpu *v, gva_t dst, const void *src, size_t n,
                       bool user, struct guest_fault *fault)
{
    size_t first = page_part(dst.v, n);

    /* An instruction's store happens as a whole or not at all. */
    if (first < n &&
        (!walk_cache_get(v, dst.v, ACCESS_WRITE, user, true, fault) ||
         !walk_cache_get(v, dst.v + first, ACCESS_WRITE, user, true, fault))) {
        return -RV_EFAULT;
    }
    return copy_out(v, dst.v, src, n, user, fault);
}

int guest_linear_cmpxchg(struct vcpu *v, gva_t at, size_t n, uint64_t old,
                         uint64_t value)
{
    const struct walk_entry *e =
        walk_cache_get(v, at.v, ACCESS_WRITE, false, true, NULL);

    if (!e || n > PAGE_SIZE - page_offset(at.v)) {
        return -RV_EFAULT;
    }
    return arch_cmpxchg_guest(e->page + page_offset(at.v), n, old, value)
               ? 0
               : -RV_EAGAIN;
}

void guest_code_refresh(struct vcpu *v, gva_t at)
{
    const struct walk_entry *e =
        walk_cache_get(v, at.v, ACCESS_EXEC, false, true, NULL);
    uint8_t byte;

    if (e) {
        arch_copy_from_guest(&byte, e->page + page_offset(at.v), 1);
        (void)arch_cmpxchg_guest(e->page + page_offset(at.v), 1, byte, byte);
    }
}

int guest_translate(struct vcpu *v, gva_t a, uint8_t access, bool user,
                    gpa_t *out, struct guest_fault *fault)
{
    const struct walk_entry *e =
        walk_cache_get(v, a.v, access, user, false, fault);

    if (!e) {
        return -RV_EFAULT;
    }
    *out = gpa(e->gpa | page_offset(a.v));
    return 0;
}

/* A part inside a page; what is not RAM is reported as guest_linear_*() do. */
static int free_part(struct vcpu *v, gva_t a, uint8_t access, bool user,
                     gpa_t *at, struct guest_fault *fault)
{
    int rc = guest_translate(v, a, access, user, at, fault);

    if (rc == 0) {
        *fault = (struct guest_fault){.gva = a, .gpa = *at};
    }
    return rc;
}

int guest_free_read(struct vcpu *v, void *dst, gva_t src, size_t n,
                    uint8_t access, bool user, struct guest_fault *fault)
{
    while (n > 0) {
        size_t part = page_part(src.v, n);
        gpa_t at;

        if (free_part(v, src, access, user, &at, fault) ||
            guest_phys_read(v->domain, dst, at, part)) {
            return -RV_EFAULT;
        }
        dst = (uint8_t *)dst + part;
        src.v += part;
        n -= part;
    }
    return 0;
}

int guest_free_write(struct vcpu *v, gva_t dst, const void *src, size_t n,
                     bool user, struct guest_fault *fault)
{
    while (n > 0) {
        size_t part = page_part(dst.v, n);
        gpa_t at;

        if (free_part(v, dst, ACCESS_WRITE, user, &at, fault) ||
            guest_phys_write(v->domain, at, src, part)) {
            return -RV_EFAULT;
        }
        src = (const uint8_t *)src + part;
        dst.v += part;
        n -= part;
    }
    return 0;
}
