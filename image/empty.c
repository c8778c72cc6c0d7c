/* SPDX-License-Identifier: BSD-2-Clause */
/* The first link has no function table yet; Meson wants one source. */
typedef int image_has_no_symbols_yet;
