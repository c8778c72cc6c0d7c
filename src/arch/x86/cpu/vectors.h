/* SPDX-License-Identifier: BSD-2-Clause */
/* Distance of two entry stubs in vectors.S. */
#pragma once

#define VECTOR_STUB_SIZE 16
