/* SPDX-License-Identifier: MIT */
/*
 * The control domain's calls, one function each. All return 0 or a negative
 * XEN_E* number, -EPERM for a caller without the role.
 */
#ifndef GUEST_DOMCTL_H
#define GUEST_DOMCTL_H

#include <stdint.h>

#include <xen/domctl.h>
#include <xen/sysctl.h>

/** Any operation: `op` has its union filled; command and domain are set here.
 */
long domctl(uint32_t cmd, unsigned int domid, struct xen_domctl *op);

/** Creates an empty paused domain; *domid is its id. */
long domctl_create(unsigned int vcpus, unsigned int *domid);
long domctl_destroy(unsigned int domid);
long domctl_pause(unsigned int domid);
long domctl_unpause(unsigned int domid);
long domctl_info(unsigned int domid, struct xen_domctl_getdomaininfo *info);
long domctl_max_mem(unsigned int domid, uint64_t kib);
long domctl_max_vcpus(unsigned int domid, unsigned int vcpus);

/** Sets the frames for the domain's page tables, in bytes. */
long domctl_paging_pool(unsigned int domid, uint64_t bytes);

/** Starts a vCPU flat 32-bit at `eip` with EBX = `ebx`. */
long domctl_vcpu_start(unsigned int domid, unsigned int vcpu, uint32_t eip,
                       uint32_t ebx);

/** Free frames of the machine, from XEN_SYSCTL_physinfo. */
long sysctl_free_pages(uint64_t *pages);

#endif
