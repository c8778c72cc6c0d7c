/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ABI's numbers from the reference headers (package libxen-dev).
 */
#include <stdint.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/argo.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "public_abi.h"

const struct abi_row abi_theirs[] = {
#include "public_abi.def"
    {"save code END", HVM_SAVE_CODE(END)},
    {"save code HEADER", HVM_SAVE_CODE(HEADER)},
    {"save code CPU", HVM_SAVE_CODE(CPU)},
};
const size_t abi_theirs_count = sizeof(abi_theirs) / sizeof(abi_theirs[0]);
