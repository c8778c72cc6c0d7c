/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only code that touches guest memory. A guest reference cannot be
 * dereferenced; bytes come in as one copy into a snapshot the compiler may not
 * re-derive from its source. Translations are cached per vCPU as pointers to
 * the guest's own page-table entries with the values seen there, so a hit
 * re-reads at most four words and is as exact as a walk.
 *
 * Threat surface: guest page tables, guest pointers, lengths. Everything here
 * may change under us at any time.
 */
#pragma once

#include "ravelin/domain.h"
#include "ravelin/types.h"

struct guest_ref {
    uint64_t gva;
};

static inline struct guest_ref guest_ref(uint64_t v)
{
    return (struct guest_ref){v};
}
static inline struct guest_ref guest_ref_add(struct guest_ref r, uint64_t n)
{
    return (struct guest_ref){r.gva + n};
}

/**
 * Why an access failed, for emulation that must raise the guest's own fault.
 * Neither flag set: the frame at `gpa` is not RAM, or the p2m's rights (a
 * monitor's) forbid the access there; `gpa` may be a page-table entry's.
 */
struct guest_fault {
    bool is_page_fault;   /* #PF with `error` at `gva` */
    bool is_noncanonical; /* #GP(0), or #SS(0) if through SS */
    uint32_t error;       /* #PF error code */
    gva_t gva;            /* first byte that could not be reached */
    gpa_t gpa;            /* if neither flag is set */
};

int rv_must_check walk_cache_create(struct vcpu *v);
void walk_cache_destroy(struct vcpu *v);
/** Drops every cached translation of `v` (mode change, p2m change). */
void walk_cache_flush(struct vcpu *v);

/**
 * Copies from/to the address space of `v` with supervisor rights (SMAP not
 * applied: the guest kernel passed the pointer on purpose). The vCPU is current
 * on this CPU or paused. Sets accessed and dirty bits like the processor. The
 * rights in the p2m hold: read-only memory and pages that a monitor protects
 * cannot be written through a hypercall either. Where a monitor's right is in
 * the way of a hypercall, the monitor is told when its handler has returned,
 * and the call is executed again (ravelin/monitor_access.h). A copy that has
 * begun when another CPU restricts such rights may still complete.
 * @return 0; -EFAULT, with nothing else changed but, for copy_out across
 *         pages, the pages before the faulting one. n == 0: 0.
 */
int rv_must_check guest_copy_in(struct vcpu *v, void *dst, struct guest_ref src,
                                size_t n);
int rv_must_check guest_copy_out(struct vcpu *v, struct guest_ref dst,
                                 const void *src, size_t n);
/** Could guest_copy_out() do it now? For handlers, before what they could not
 * take back if the result were not taken. 0; -EFAULT. */
int rv_must_check guest_copy_probe(struct vcpu *v, struct guest_ref dst,
                                   size_t n);
/** Copies from the address space of `v` straight into pinned frames
 * (guest_page_pin), from byte `to` of the first on. Each byte is read once, and
 * what is in the frames never. 0; -EFAULT with the bytes before the fault
 * copied. */
int rv_must_check guest_copy_to_frames(struct vcpu *v, const mfn_t *frames,
                                       uint64_t to, struct guest_ref src,
                                       size_t n);
/** With the reason in *fault (not NULL); `access` are ACCESS_* bits checked
 * against the guest's page tables, `user` says at which privilege. A write of
 * up to two pages changes nothing unless all of it can be reached. */
int rv_must_check guest_linear_read(struct vcpu *v, void *dst, gva_t src,
                                    size_t n, uint8_t access, bool user,
                                    struct guest_fault *fault);
/**
 * Would an instruction fetch at `at` see these 16 bytes now? False also when
 * they lie in two pages or the translation is not cached: then fetch.
 */
bool rv_must_check guest_code_matches(struct vcpu *v, gva_t at, bool user,
                                      const uint64_t bytes[2]);
int rv_must_check guest_linear_write(struct vcpu *v, gva_t dst, const void *src,
                                     size_t n, bool user,
                                     struct guest_fault *fault);
/**
 * The same where a monitor's rights do not count: the hypervisor's own look at
 * the guest's code, and accesses that its monitor has permitted. The guest's
 * tables and the types of pages do.
 */
int rv_must_check guest_free_read(struct vcpu *v, void *dst, gva_t src,
                                  size_t n, uint8_t access, bool user,
                                  struct guest_fault *fault);
int rv_must_check guest_free_write(struct vcpu *v, gva_t dst, const void *src,
                                   size_t n, bool user,
                                   struct guest_fault *fault);
/**
 * Atomically writes `value` where `old` is, with supervisor rights, 1, 2, 4 or
 * 8 bytes.
 * @return 0; -EAGAIN memory holds something else; -EFAULT not RAM that can be
 *         written, or it is in two pages.
 */
int rv_must_check guest_linear_cmpxchg(struct vcpu *v, gva_t at, size_t n,
                                       uint64_t old, uint64_t value);
/** Writes the byte at `at` over itself, atomically, for a processor that still
 * executes what was there before. Nothing if it is not RAM. */
void guest_code_refresh(struct vcpu *v, gva_t at);
/** Translates only, whatever is behind the address. 0 with *out; -EFAULT with
 * *fault. */
int rv_must_check guest_translate(struct vcpu *v, gva_t a, uint8_t access,
                                  bool user, gpa_t *out,
                                  struct guest_fault *fault);
/** By guest-physical address, for the hypervisor's own business with a domain:
 * RAM types only, the type decides (P2M_RAM_RO cannot be written), a monitor's
 * rights do not. 0; -EFAULT, for writes with the pages before changed. */
int rv_must_check guest_phys_read(struct domain *d, void *dst, gpa_t src,
                                  size_t n);
int rv_must_check guest_phys_write(struct domain *d, gpa_t dst, const void *src,
                                   size_t n);
int rv_must_check guest_phys_clear(struct domain *d, gpa_t dst, size_t n);

/**
 * Pins the RAM frame (P2M_RAM) at `g` and returns a host pointer to it, for
 * areas that live long (vcpu_info, rings). The domain must have the rights to
 * read and to write it at this moment; what a monitor takes away later does not
 * matter. Contents may only be read or written
 * through struct shared_u32 / shared_u64 or guest_page_* helpers. The frame
 * stays allocated and charged to `d` until guest_page_unpin, even if the guest
 * gives the page back or the domain is destroyed.
 * Whoever takes pages away and asks afterwards who has pinned them relies on
 * pins being noted with the p2m's lock held: see src/monitor/attach.c.
 * @return NULL if there is no such frame of the domain; `mfn_out` is not NULL.
 */
void *guest_page_pin(struct domain *d, gfn_t g, mfn_t *mfn_out);
/** Pins a list of frames in the same way, into out[]; false at the first that
 * cannot be pinned, with those before it pinned. */
bool rv_must_check guest_pages_pin(struct domain *d, const uint64_t *gfns,
                                   unsigned n, mfn_t *out);
void guest_page_unpin(mfn_t m);
/** Copies out of / into a pinned page, opaque to the optimiser; `page` is what
 * guest_page_pin returned plus an offset. */
void guest_page_read(void *dst, const void *page, size_t n);
void guest_page_write(void *page, const void *src, size_t n);
