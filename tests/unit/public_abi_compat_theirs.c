/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference's layouts, compiled with -m32 -ffreestanding, against
 * public_abi_compat.def. Nothing here runs: compiling it is the test.
 */
#include <stddef.h>
#include <stdint.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/argo.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/save.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define LAYOUT_SIZE(ours, theirs, n) \
    _Static_assert(sizeof(struct theirs) == (n), #theirs);
#define LAYOUT_OFFSET(ours, theirs, member, n) \
    _Static_assert(offsetof(struct theirs, member) == (n), #theirs "." #member);
#include "public_abi_compat.def"
