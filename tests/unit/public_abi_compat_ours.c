/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our layouts for 32-bit callers, as the 64-bit hypervisor sees them, against
 * public_abi_compat.def. Nothing here runs: compiling it is the test.
 */
#include "public/argo.h"
#include "public/domctl.h"
#include "public/event_channel.h"
#include "public/hvm/hvm_op.h"
#include "public/hvm/hvm_vcpu.h"
#include "public/hvm/save.h"
#include "public/hvm/start_info.h"
#include "public/io/console.h"
#include "public/memory.h"
#include "public/sched.h"
#include "public/sysctl.h"
#include "public/vcpu.h"
#include "public/version.h"

#define LAYOUT_SIZE(ours, theirs, n) \
    static_assert(sizeof(struct ours) == (n), #ours);
#define LAYOUT_OFFSET(ours, theirs, member, n) \
    static_assert(offsetof(struct ours, member) == (n), #ours "." #member);
#include "public_abi_compat.def"
