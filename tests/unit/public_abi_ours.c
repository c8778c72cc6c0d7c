/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ABI's numbers from include/public.
 */
#include "public/argo.h"
#include "public/domctl.h"
#include "public/elfnote.h"
#include "public/errno.h"
#include "public/event_channel.h"
#include "public/features.h"
#include "public/hvm/e820.h"
#include "public/hvm/hvm_op.h"
#include "public/hvm/hvm_vcpu.h"
#include "public/hvm/params.h"
#include "public/hvm/save.h"
#include "public/hvm/start_info.h"
#include "public/io/console.h"
#include "public/memory.h"
#include "public/sched.h"
#include "public/sysctl.h"
#include "public/vcpu.h"
#include "public/version.h"
#include "public/xen.h"

#include "public_abi.h"

const struct abi_row abi_ours[] = {
#include "public_abi.def"
    {"save code END", HVM_SAVE_CODE_END},
    {"save code HEADER", HVM_SAVE_CODE_HEADER},
    {"save code CPU", HVM_SAVE_CODE_CPU},
};
const size_t abi_ours_count = sizeof(abi_ours) / sizeof(abi_ours[0]);
