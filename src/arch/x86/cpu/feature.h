/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine's processors can do, found once on the boot CPU; the other
 * CPUs are checked against it. Read-only after boot.
 */
#pragma once

#include "ravelin/types.h"

enum x86_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

struct x86_features {
    enum x86_vendor vendor;
    char brand[49]; /* terminated, no blanks around it */
    uint32_t max_leaf;
    uint32_t max_ext_leaf;
    uint8_t family; /* extended family included */
    uint8_t model;
    uint8_t stepping;
    uint8_t phys_bits;
    uint8_t linear_bits;

    bool nx;
    bool gb_pages;
    bool pge;
    bool smep;
    bool smap;
    bool umip;
    bool fsgsbase;
    bool mce;
    bool rdrand;
    bool rdtscp;
    bool x2apic;
    bool tsc_deadline;
    bool tsc_invariant;
    bool tsc_adjust;
    bool arat; /* local timer runs in every idle state */
    bool monitor;
    bool erms;

    bool fxsr;
    bool xsave;
    bool xsaveopt;
    bool xsavec;
    bool xsaves;
    uint64_t xcr0_mask;  /* bits XCR0 may have */
    uint32_t xsave_size; /* bytes for all of them, standard format */

    bool vmx;

    bool svm;
    bool npt;
    bool nrips;
    bool flush_by_asid;
    bool decode_assists;
    bool vmcb_clean;
    bool pause_filter;
    bool vgif;
    bool lbrv;
    uint32_t asid_count;
};

extern struct x86_features x86_features;

/** Fills x86_features. Boot CPU only. */
void feature_detect(void);
/** Does this CPU have everything found on the boot CPU that we use? */
bool rv_must_check feature_matches_boot_cpu(void);
