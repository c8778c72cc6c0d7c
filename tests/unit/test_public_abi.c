/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * include/public against the reference headers, number by number. The layouts
 * for 32-bit callers are compared by the compiler in public_abi_compat_*.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "public_abi.h"
#include "ravelin/errno.h"

#include "public/errno.h"

static void public_abi_every_number_is_the_reference(void **state)
{
    unsigned wrong = 0;

    (void)state;
    assert_int_equal(abi_ours_count, abi_theirs_count);
    for (size_t i = 0; i < abi_ours_count; i++) {
        assert_string_equal(abi_ours[i].name, abi_theirs[i].name);
        if (abi_ours[i].value != abi_theirs[i].value) {
            print_error("%s: ours 0x%llx, reference 0x%llx\n", abi_ours[i].name,
                        (unsigned long long)abi_ours[i].value,
                        (unsigned long long)abi_theirs[i].value);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(abi_ours_count > 800);
}

/* The inner names must have the ABI's values, or results would be wrong. */
static void errno_inner_names_have_the_abi_values(void **state)
{
    (void)state;
#define SAME(name) assert_int_equal(RV_##name, XEN_##name)
    SAME(EPERM);
    SAME(ENOENT);
    SAME(ESRCH);
    SAME(EINTR);
    SAME(EIO);
    SAME(ENXIO);
    SAME(E2BIG);
    SAME(ENOEXEC);
    SAME(EBADF);
    SAME(ECHILD);
    SAME(EAGAIN);
    SAME(ENOMEM);
    SAME(EACCES);
    SAME(EFAULT);
    SAME(EBUSY);
    SAME(EEXIST);
    SAME(EXDEV);
    SAME(ENODEV);
    SAME(ENOTDIR);
    SAME(EISDIR);
    SAME(EINVAL);
    SAME(ENFILE);
    SAME(EMFILE);
    SAME(ENOSPC);
    SAME(EROFS);
    SAME(EMLINK);
    SAME(EDOM);
    SAME(ERANGE);
    SAME(EDEADLK);
    SAME(ENAMETOOLONG);
    SAME(ENOLCK);
    SAME(ENOSYS);
    SAME(ENOTEMPTY);
    SAME(ENODATA);
    SAME(ETIME);
    SAME(EBADMSG);
    SAME(EOVERFLOW);
    SAME(EILSEQ);
    SAME(ERESTART);
    SAME(ENOTSOCK);
    SAME(EMSGSIZE);
    SAME(EOPNOTSUPP);
    SAME(EADDRINUSE);
    SAME(EADDRNOTAVAIL);
    SAME(ENOBUFS);
    SAME(EISCONN);
    SAME(ENOTCONN);
    SAME(ETIMEDOUT);
    SAME(ECONNREFUSED);
#undef SAME
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_abi_every_number_is_the_reference),
        cmocka_unit_test(errno_inner_names_have_the_abi_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
