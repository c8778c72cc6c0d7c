; SPDX-License-Identifier: MIT
; What every boot path leans on: interrupts through the vector table, far
; transfers, big real mode, line 20 of the address, timer ticks, halting.
%include "real.inc"

program:
        say `begin\n`
        vector 0x40, service
        vector 0x20, tick
        vector 6, undefined

        mov ax, 0x1234
        int 0x40
        hex ax
        newline

        call 0xf000:far_service
        hex ax
        newline

        ud2
        newline

        call big_real
        mov dword [dword 0x00200000], 0x55aa1234
        mov eax, [dword 0x00200000]
        hex ax
        shr eax, 16
        hex ax
        say `big\n`

        ; Nothing wraps at 1 MiB.
        mov dword [dword 0x00100500], 0x1111
        mov dword [dword 0x00000500], 0x2222
        mov ax, [dword 0x00100500]
        hex ax
        say `a20\n`

        ; The ROM cannot be written.
        mov ebx, 0xfffffff0
        mov eax, [ebx]
        mov dword [ebx], 0
        cmp eax, [ebx]
        jne .changed
        say `rom\n`
.changed:
        call pic_init
        mov al, 0x34            ; channel 0, rate generator, 1 kHz
        out 0x43, al
        mov ax, 1193
        out 0x40, al
        mov al, ah
        out 0x40, al
        mov al, 0xfe
        out 0x21, al
        mov word [DATA], 0
.wait:  sti
        hlt
        cli
        cmp word [DATA], 20
        jb .wait
        mov al, 0xff
        out 0x21, al
        say `ticks\n`

        mov cx, 0x100
        xor bx, bx
.sum:   add bx, cx
        loop .sum
        hex bx
        newline
        finish

service:
        inc ax
        push bp
        mov bp, sp
        hex word [bp + 4]       ; segment it came from
        pop bp
        iret

far_service:
        mov ax, cs
        retf

undefined:
        say 'ud '
        push bp
        mov bp, sp
        add word [bp + 2], 2
        pop bp
        iret

tick:
        push ax
        inc word [DATA]
        mov al, 0x20
        out 0x20, al
        pop ax
        iret

        rom_end
