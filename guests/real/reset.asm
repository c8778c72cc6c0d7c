; SPDX-License-Identifier: MIT
; Three ways to pull the reset line; memory stays, so that the count tells.
; Then the power goes off through the power management registers.
%include "real.inc"

MAGIC   equ 0x5253

program:
        cmp word [DATA], MAGIC
        je .again
        mov word [DATA], MAGIC
        mov word [DATA + 2], 0
        say `begin\n`
.again:
        mov bx, [DATA + 2]
        inc word [DATA + 2]
        hex bx
        newline
        cmp bx, 3
        ja .off
        shl bx, 1
        jmp [cs:ways + bx]
.off:
        say `power off\n`
        mov eax, 0x80000b40     ; 00:01.3, PMBASE
        mov ebx, 0x00000601
        call config
        mov eax, 0x80000b80     ; PMREGMISC
        mov ebx, 1
        call config
        mov dx, 0x604           ; PM1_CNT: soft off
        mov ax, 0x2000
        out dx, ax
.wait:  hlt
        jmp .wait

config:
        mov dx, 0xcf8
        out dx, eax
        mov dl, 0xfc
        mov eax, ebx
        out dx, eax
        ret

by_keyboard:
        mov al, 0xfe
        out 0x64, al
        jmp $

by_port_92:
        in al, 0x92
        or al, 1
        out 0x92, al
        jmp $

by_chipset:
        mov dx, 0xcf9
        mov al, 2
        out dx, al
        mov al, 6
        out dx, al
        jmp $

; A reset from a halt, by another device than the processor, is the same.
by_keyboard_again:
        mov al, 0xfe
        out 0x64, al
        hlt
        jmp $

ways:   dw by_keyboard, by_port_92, by_chipset, by_keyboard_again

        rom_end
