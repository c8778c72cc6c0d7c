/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of VM entry in the order in which the processor checks them, and
 * the questions that their tables share.
 */

#include "vmx.h"

bool vmx_when_v86(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_RFLAGS, RFLAGS_VM);
}

bool vmx_when_not_v86(const struct explain_snapshot *s, unsigned seg)
{
    return !vmx_when_v86(s, seg);
}

bool vmx_when_usable(const struct explain_snapshot *s, unsigned seg)
{
    return vmx_when_not_v86(s, seg) && vmx_when_system_usable(s, seg);
}

bool vmx_when_system_usable(const struct explain_snapshot *s, unsigned seg)
{
    return !(attr(s, seg) & AR_UNUSABLE);
}

bool vmx_when_restricted(const struct explain_snapshot *s,
                         unsigned seg rv_unused)
{
    return !is_unrestricted(s);
}

bool vmx_when_ia32e(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_ENTRY, ENTRY_IA32E);
}

bool vmx_when_not_ia32e(const struct explain_snapshot *s, unsigned seg)
{
    return !vmx_when_ia32e(s, seg);
}

bool vmx_when_load_debug(const struct explain_snapshot *s,
                         unsigned seg rv_unused)
{
    return has(s, XF_ENTRY, ENTRY_LOAD_DEBUG);
}

bool vmx_when_injecting(const struct explain_snapshot *s,
                        unsigned seg rv_unused)
{
    return has(s, XF_ENTRY_INFO, EVENT_VALID);
}

bool vmx_when_host64(const struct explain_snapshot *s, unsigned seg rv_unused)
{
    return has(s, XF_EXIT, EXIT_HOST_64);
}

bool vmx_when_host32(const struct explain_snapshot *s, unsigned seg)
{
    return !vmx_when_host64(s, seg);
}

bool vmx_injects(const struct explain_snapshot *s, unsigned type)
{
    return vmx_when_injecting(s, 0) &&
           event_type(value(s, XF_ENTRY_INFO)) == type;
}

const struct explain_rules explain_vmx = {
    "VMX VM entry",
    5,
    {&vmx_control_table, &vmx_host_table, &vmx_register_table,
     &vmx_segment_table, &vmx_state_table},
};
