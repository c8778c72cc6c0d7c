/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_io: text from and to a domain's own console channel. A write that the
 * line cannot take at once is continued, in the caller's time slice, so output
 * is neither lost nor does it hold up the hypervisor.
 *
 * Threat surface: count and buffer; the bytes go to vconsole, which treats them
 * as opaque.
 */
#include "handlers.h"
#include "ravelin/sched.h"
#include "ravelin/vconsole.h"

#define COUNT_MAX 0x7fffffffu /* INT_MAX of the caller */
#define PIECE 256u
#define PIECES_PER_CALL 8u /* then other work gets a turn */

static long decode_count(const struct vcpu *v, const struct hypercall_args *a,
                         size_t *count)
{
    if (v->domain->manifest != NULL &&
        v->domain->manifest->console == MANIFEST_CONSOLE_NONE) {
        return -RV_EPERM;
    }
    /* The ABI's count is a 32-bit number. */
    *count = (uint32_t)a->arg[1];
    return *count > COUNT_MAX ? -RV_EINVAL : 0;
}

long console_io_write(struct vcpu *v, struct hypercall_args *a)
{
    char buf[PIECE];
    size_t left;
    long rc = decode_count(v, a, &left);

    if (rc != 0) {
        return rc;
    }
    for (unsigned i = 0; left > 0 && i < PIECES_PER_CALL; i++) {
        size_t n = rv_min(left, sizeof(buf));
        size_t taken;

        if (guest_copy_in(v, buf, guest_ref(a->arg[2]), n) != 0) {
            if (i == 0) {
                return -RV_EFAULT;
            }
            break; /* what is written is not written twice */
        }
        taken = vconsole_write(v->domain, buf, n);
        a->arg[2] += taken;
        left -= taken;
        if (taken < n) {
            vcpu_yield(v);
            break;
        }
    }
    a->arg[1] = left;
    return left == 0 ? 0 : -RV_ERESTART;
}

long console_io_read(struct vcpu *v, struct hypercall_args *a)
{
    char buf[PIECE];
    size_t count;
    long rc = decode_count(v, a, &count);

    if (rc != 0) {
        return rc;
    }
    count = rv_min(count, sizeof(buf));
    if (guest_copy_probe(v, guest_ref(a->arg[2]), count) != 0) {
        return -RV_EFAULT;
    }
    count = vconsole_read(v->domain, buf, count);
    if (guest_copy_out(v, guest_ref(a->arg[2]), buf, count) != 0) {
        return -RV_EFAULT;
    }
    return (long)count;
}
