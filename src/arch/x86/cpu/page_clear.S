/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clearing of whole pages with vector stores, the widest there are. The vector
 * registers belong to the loaded vCPU, so the one used is saved; neither
 * version touches flags that a guest could see (MXCSR, the x87 state).
 * In: rdi = page-aligned address, rsi = pages > 0. Clobbers rax, rdi, rsi.
 */
#define PAGE 4096

    .text
    .balign 16
    .global page_clear_avx
    .type page_clear_avx, @function
page_clear_avx:
    pushq %rbp
    movq %rsp, %rbp
    subq $32, %rsp
    vmovdqu %ymm0, (%rsp)
    vpxor %xmm0, %xmm0, %xmm0
    shlq $2, %rsi
1:  .set offset, 0
    .rept PAGE / 4 / 32
    vmovdqa %ymm0, offset(%rdi)
    .set offset, offset + 32
    .endr
    addq $(PAGE / 4), %rdi
    decq %rsi
    jnz 1b
    vmovdqu (%rsp), %ymm0
    leave
    ret
    .size page_clear_avx, . - page_clear_avx

    .balign 16
    .global page_clear_sse
    .type page_clear_sse, @function
page_clear_sse:
    pushq %rbp
    movq %rsp, %rbp
    subq $16, %rsp
    movups %xmm0, (%rsp)
    xorps %xmm0, %xmm0
    shlq $3, %rsi
1:  .set offset, 0
    .rept PAGE / 8 / 16
    movaps %xmm0, offset(%rdi)
    .set offset, offset + 16
    .endr
    addq $(PAGE / 8), %rdi
    decq %rsi
    jnz 1b
    movups (%rsp), %xmm0
    leave
    ret
    .size page_clear_sse, . - page_clear_sse

    .section .note.GNU-stack, "", @progbits
