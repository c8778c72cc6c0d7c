; SPDX-License-Identifier: MIT
; Another processor, started from real mode through the local APIC; both then
; add to one word with LOCK, one of them in a loop that must not starve the
; other.
%include "real.inc"

LAPIC   equ 0xfee00000
ICR     equ 0x300
ICR2    equ 0x310
ROUNDS  equ 2000

program:
        say `begin\n`
        call big_real
        mov dword [DATA], 0
        mov dword [DATA + 4], 0
        mov dword [DATA + 8], 0

        ; The start-up vector names a page below 1 MiB: 9000:0000.
        mov byte [dword 0x90000], 0xea
        mov word [dword 0x90001], other
        mov word [dword 0x90003], 0xf000

        mov dword [dword LAPIC + 0xf0], 0x1ff
        mov dword [dword LAPIC + ICR2], 1 << 24
        mov dword [dword LAPIC + ICR], 0x4500
        mov dword [dword LAPIC + ICR2], 1 << 24
        mov dword [dword LAPIC + ICR], 0x4690

.wait:  pause
        cmp dword [DATA + 4], 1
        jne .wait
        say `other is up\n`
        mov cx, ROUNDS
.add:   lock inc dword [DATA]
        loop .add
        mov dword [DATA + 8], 1
.both:  pause
        cmp dword [DATA + 4], 2
        jne .both
        mov ax, [DATA]
        hex ax
        newline
        finish

other:
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x6000
        mov dword [DATA + 4], 1
        mov cx, ROUNDS
.add:   lock inc dword [DATA]
        loop .add
.wait:  cmp dword [DATA + 8], 1
        jne .wait
        mov dword [DATA + 4], 2
.halt:  cli
        hlt
        jmp .halt

        rom_end
