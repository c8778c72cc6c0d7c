/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_version: the ABI level and features. Texts are copied with their whole,
 * zero-filled field, so nothing of our stack leaves with them; what would name
 * the machine or its owner is told to control domains only.
 */
#include "public/version.h"

#include "handlers.h"
#include "ravelin/string.h"

#define ABI_MAJOR 4u
#define ABI_MINOR 17u

static const char *hv_commandline = "";

void hypercall_commandline_set(const char *cmdline)
{
    hv_commandline = cmdline;
}

/* Copies `text` as a zero-filled field of `size` bytes, in pieces. */
static long text_out(struct vcpu *v, struct hypercall_args *a, const char *text,
                     size_t size)
{
    struct guest_ref to = guest_ref(a->arg[1]);
    size_t length = strnlen(text, size - 1);
    char piece[64];

    for (size_t done = 0; done < size; done += sizeof(piece)) {
        size_t n = rv_min(size - done, sizeof(piece));

        memset(piece, 0, sizeof(piece));
        if (done < length) {
            memcpy(piece, text + done, rv_min(length - done, n));
        }
        if (guest_copy_out(v, guest_ref_add(to, done), piece, n) != 0) {
            return -RV_EFAULT;
        }
    }
    return 0;
}

long xen_version_version(struct vcpu *v rv_unused,
                         struct hypercall_args *a rv_unused)
{
    return (long)(ABI_MAJOR << 16 | ABI_MINOR);
}

long xen_version_extraversion(struct vcpu *v, struct hypercall_args *a)
{
    return text_out(v, a, ".0-ravelin", XEN_EXTRAVERSION_LEN);
}

long xen_version_compile_info(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_compile_info info;

    memset(&info, 0, sizeof(info));
    string_copy(info.compiler, sizeof(info.compiler), __VERSION__);
    string_copy(info.compile_by, sizeof(info.compile_by), "ravelin");
    return arg_copy_out(v, a, 1, &info, sizeof(info));
}

long xen_version_capabilities(struct vcpu *v, struct hypercall_args *a)
{
    return text_out(v, a, "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
                    XEN_CAPABILITIES_INFO_LEN);
}

long xen_version_changeset(struct vcpu *v, struct hypercall_args *a)
{
    return text_out(v, a, "ravelin", XEN_CHANGESET_INFO_LEN);
}

long xen_version_platform_parameters(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_platform_parameters p = {.virt_start = 0};

    return arg_copy_out(v, a, 1, &p,
                        a->is_32bit ? sizeof(struct compat_platform_parameters)
                                    : sizeof(p));
}

static uint32_t features(const struct domain *d)
{
    uint32_t f = 1u << XENFEAT_writable_page_tables |
                 1u << XENFEAT_auto_translated_physmap |
                 1u << XENFEAT_hvm_callback_vector |
                 1u << XENFEAT_hvm_safe_pvclock |
                 1u << XENFEAT_memory_op_vnode_supported |
                 1u << XENFEAT_not_direct_mapped;

    if (is_hardware_domain(d)) {
        f |= 1u << XENFEAT_dom0;
    }
    return f;
}

long xen_version_get_features(struct vcpu *v, struct hypercall_args *a)
{
    struct xen_feature_info info;

    if (arg_copy_in(v, a, 1, &info, sizeof(info)) != 0) {
        return -RV_EFAULT;
    }
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS) {
        return -RV_EINVAL;
    }
    info.submap = features(v->domain);
    return arg_copy_out(v, a, 1, &info, sizeof(info));
}

long xen_version_pagesize(struct vcpu *v rv_unused, struct hypercall_args *a)
{
    return a->arg[1] == 0 ? (long)PAGE_SIZE : -RV_EINVAL;
}

long xen_version_guest_handle(struct vcpu *v, struct hypercall_args *a)
{
    xen_domain_handle_t handle;

    spin_lock(&v->domain->lock);
    memcpy(handle, v->domain->uuid, sizeof(handle));
    spin_unlock(&v->domain->lock);
    return arg_copy_out(v, a, 1, handle, sizeof(handle));
}

long xen_version_commandline(struct vcpu *v, struct hypercall_args *a)
{
    return text_out(v, a,
                    is_control_domain(v->domain) ? hv_commandline : "<denied>",
                    sizeof(xen_commandline_t));
}

long xen_version_build_id(struct vcpu *v rv_unused,
                          struct hypercall_args *a rv_unused)
{
    return -RV_ENODATA;
}
