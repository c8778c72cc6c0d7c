/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtualisation backends of this image. */

#include "arch/backend.h"
#include "svm/svm.h"

const struct hv_backend *const hv_backends[] = {&svm_backend};
const unsigned hv_backend_count = ARRAY_SIZE(hv_backends);
