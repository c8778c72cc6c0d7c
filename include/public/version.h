/* SPDX-License-Identifier: MIT */
/*
 * xen_version: who serves this ABI, and which of its features it has.
 */
#pragma once

#include "public/features.h"
#include "public/xen.h"

#define XENVER_version 0 /* no argument; returns major << 16 | minor */

#define XENVER_extraversion 1
typedef char xen_extraversion_t[16];
#define XEN_EXTRAVERSION_LEN 16

#define XENVER_compile_info 2
struct xen_compile_info {
    char compiler[64];
    char compile_by[16];
    char compile_domain[32];
    char compile_date[32];
};

#define XENVER_capabilities 3
typedef char xen_capabilities_info_t[1024];
#define XEN_CAPABILITIES_INFO_LEN 1024

#define XENVER_changeset 4
typedef char xen_changeset_info_t[64];
#define XEN_CHANGESET_INFO_LEN 64

#define XENVER_platform_parameters 5
struct xen_platform_parameters {
    xen_ulong_t virt_start;
};
struct compat_platform_parameters {
    compat_ulong_t virt_start;
};

#define XENVER_get_features 6
struct xen_feature_info {
    uint32_t submap_idx; /* in */
    uint32_t submap;     /* out */
};

#define XENVER_pagesize 7     /* no argument; returns bytes */
#define XENVER_guest_handle 8 /* xen_domain_handle_t */

#define XENVER_commandline 9
typedef char xen_commandline_t[1024];

/* Returns the length; without an argument only that. */
#define XENVER_build_id 10
struct xen_build_id {
    uint32_t len; /* in: room in buf */
    uint8_t buf[];
};
