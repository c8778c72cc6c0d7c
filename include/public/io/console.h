/* SPDX-License-Identifier: MIT */
/*
 * The console ring: one page shared by the guest and whoever serves its
 * console. Indices run freely; each side writes only its own two.
 */
#pragma once

#include <stdint.h>

typedef uint32_t XENCONS_RING_IDX;

struct xencons_interface {
    char in[1024];
    char out[2048];
    XENCONS_RING_IDX in_cons;  /* written by the guest */
    XENCONS_RING_IDX in_prod;  /* written by the backend */
    XENCONS_RING_IDX out_cons; /* written by the backend */
    XENCONS_RING_IDX out_prod; /* written by the guest */
};

#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))
