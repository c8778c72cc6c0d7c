/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between guest-linear addresses and snapshots of ours. Addresses and
 * lengths are the guest's; each byte of guest memory is touched once per call,
 * by a block move that the compiler cannot see through.
 */

#include "ravelin/guest_copy.h"

#include "ravelin/errno.h"
#include "walk_cache.h"

/* Bytes from `a` to the end of its page, at most `n`. */
static size_t page_part(uint64_t a, size_t n)
{
    size_t room = PAGE_SIZE - (a & ~PAGE_MASK);

    return rv_min(room, n);
}

static inline uint8_t *linear_ptr(struct vcpu *v, uint64_t a, uint8_t access,
                                  bool user, struct guest_fault *fault)
{
    const struct walk_entry *e =
        walk_cache_get(v, gva(a), access, user, true, fault);

    return e ? e->page + (a & ~PAGE_MASK) : NULL;
}

static inline int copy_in(struct vcpu *v, void *dst, uint64_t src, size_t n,
                          uint8_t access, bool user, struct guest_fault *fault)
{
    while (n > 0) {
        size_t part = page_part(src, n);
        const uint8_t *from = linear_ptr(v, src, access, user, fault);

        if (unlikely(!from)) {
            return -RV_EFAULT;
        }
        arch_copy_from_guest(dst, from, part);
        dst = (uint8_t *)dst + part;
        src += part;
        n -= part;
    }
    return 0;
}

static inline int copy_out(struct vcpu *v, uint64_t dst, const void *src,
                           size_t n, bool user, struct guest_fault *fault)
{
    while (n > 0) {
        size_t part = page_part(dst, n);
        uint8_t *to = linear_ptr(v, dst, ACCESS_WRITE, user, fault);

        if (unlikely(!to)) {
            return -RV_EFAULT;
        }
        arch_copy_to_guest(to, src, part);
        src = (const uint8_t *)src + part;
        dst += part;
        n -= part;
    }
    return 0;
}

int guest_copy_in(struct vcpu *v, void *dst, struct guest_ref src, size_t n)
{
    struct guest_fault fault;

    return copy_in(v, dst, src.gva, n, ACCESS_READ, false, &fault);
}

int guest_copy_out(struct vcpu *v, struct guest_ref dst, const void *src,
                   size_t n)
{
    struct guest_fault fault;

    return copy_out(v, dst.gva, src, n, false, &fault);
}

int guest_linear_read(struct vcpu *v, void *dst, gva_t src, size_t n,
                      uint8_t access, bool user, struct guest_fault *fault)
{
    return copy_in(v, dst, src.v, n, access, user, fault);
}

int guest_linear_write(struct vcpu *v, gva_t dst, const void *src, size_t n,
                       bool user, struct guest_fault *fault)
{
    size_t first = page_part(dst.v, n);

    /* An instruction's store happens as a whole or not at all. */
    if (first < n && (!linear_ptr(v, dst.v, ACCESS_WRITE, user, fault) ||
                      !linear_ptr(v, dst.v + first, ACCESS_WRITE, user, fault))) {
        return -RV_EFAULT;
    }
    return copy_out(v, dst.v, src, n, user, fault);
}

int guest_translate(struct vcpu *v, gva_t a, uint8_t access, bool user,
                    gpa_t *out, struct guest_fault *fault)
{
    const struct walk_entry *e =
        walk_cache_get(v, a, access, user, false, fault);

    if (!e) {
        return -RV_EFAULT;
    }
    *out = gpa(e->gpa | (a.v & ~PAGE_MASK));
    return 0;
}
