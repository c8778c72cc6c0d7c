/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The errno values of the Xen guest ABI (numerically those of x86 Linux).
 * Used inside the hypervisor as well, so that the hosted build can never leak
 * the host's numbers through a hypercall. Always returned negated.
 * Ref: Xen public headers, errno.h.
 */
#pragma once

#define RV_EPERM 1
#define RV_ENOENT 2
#define RV_ESRCH 3
#define RV_EINTR 4
#define RV_EIO 5
#define RV_ENXIO 6
#define RV_E2BIG 7
#define RV_ENOEXEC 8
#define RV_EBADF 9
#define RV_ECHILD 10
#define RV_EAGAIN 11
#define RV_ENOMEM 12
#define RV_EACCES 13
#define RV_EFAULT 14
#define RV_EBUSY 16
#define RV_EEXIST 17
#define RV_EXDEV 18
#define RV_ENODEV 19
#define RV_ENOTDIR 20
#define RV_EISDIR 21
#define RV_EINVAL 22
#define RV_ENFILE 23
#define RV_EMFILE 24
#define RV_ENOSPC 28
#define RV_EROFS 30
#define RV_EMLINK 31
#define RV_EDOM 33
#define RV_ERANGE 34
#define RV_EDEADLK 35
#define RV_ENAMETOOLONG 36
#define RV_ENOLCK 37
#define RV_ENOSYS 38
#define RV_ENOTEMPTY 39
#define RV_ENODATA 61
#define RV_ETIME 62
#define RV_EBADMSG 74
#define RV_EOVERFLOW 75
#define RV_EILSEQ 84
/* Internal to the hypercall layer: the call is to be run again; never reaches
 * a guest. Xen's ERESTART has the same number and the same promise. */
#define RV_ERESTART 85
#define RV_ENOTSOCK 88
#define RV_EMSGSIZE 90
#define RV_EOPNOTSUPP 95
#define RV_EADDRINUSE 98
#define RV_EADDRNOTAVAIL 99
#define RV_ENOBUFS 105
#define RV_EISCONN 106
#define RV_ENOTCONN 107
#define RV_ETIMEDOUT 110
#define RV_ECONNREFUSED 111
