/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain in BUILDING and a good request to build it: an ELF kernel, a
 * ramdisk, a command line. Both are made anew for each case, which changes what
 * it wants.
 */
#pragma once

#include "platform_fixture.h"

#include "elf_image.h"

#include "platform/pvh_private.h"
#include "public/hvm/start_info.h"

#define PT_MIB (1UL << 20)
#define PT_MEMORY (8 * PT_MIB)
#define PT_RAMDISK_SIZE 5000u

extern uint8_t pt_kernel[ELF_IMAGE_SIZE];
extern uint8_t pt_ramdisk[PT_RAMDISK_SIZE];
extern struct domain *pt_domain;
extern struct pvh_build pt_request;

int pt_case_setup(void **state);
int pt_case_teardown(void **state);

#define PT_CASE(f) \
    cmocka_unit_test_setup_teardown(f, pt_case_setup, pt_case_teardown)

/** Another domain in the place of the one there is. */
void pt_rebuild_as(uint32_t roles, uint64_t memory);
/** A build that must succeed. */
void pt_build(void);

/** Reads memory of the domain, which must be there. */
void pt_read(uint64_t at, void *to, size_t n);
/** What the first vCPU finds at its start. */
struct hvm_start_info pt_start_info(void);
