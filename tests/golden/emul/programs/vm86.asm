; SPDX-License-Identifier: BSD-2-Clause
; Virtual-8086 mode: entry by IRET and by task switch, segment arithmetic,
; interrupts and faults out of it and back, IOPL rules, the I/O bitmap.
%include "prog.inc"

%macro to_vm86 2        ; entry offset, flags
        mov [recover_esp], esp
        mov dword [recover_eip], %%next
        push dword BASE >> 4    ; GS
        push dword 0x3333       ; FS
        push dword BASE >> 4    ; DS
        push dword 0x2222       ; ES
        push dword (BASE >> 4)  ; SS
        push dword 0xb000       ; ESP
        push dword (%2)
        push dword BASE >> 4    ; CS
        push dword %1
        iret
%%next:
%endmacro

VM      equ 0x20002
IOPL3   equ 0x3000

start:
        say `=begin=\n`
        enter_protected main

        bits 32
main:   load_data
        mov dword [tss + 4], 0xd000
        mov dword [tss + 8], SEL_DATA
        mov word [tss + 0x66], 0x68             ; bitmap right behind
        mov word [gdt + SEL_TSS], 0x68 + 0x40
        mov ax, SEL_TSS
        ltr ax

        say 'int iopl 3: '
        to_vm86 v_int, VM | IOPL3
        say 'int iopl 0: '
        to_vm86 v_int, VM
        say 'cli iopl 0: '
        to_vm86 v_cli, VM
        say 'cli iopl 3: '
        to_vm86 v_cli, VM | IOPL3
        say 'pushf iopl 0: '
        to_vm86 v_pushf, VM
        say 'popf iopl 3: '
        to_vm86 v_popf, VM | IOPL3
        say 'iret iopl 3: '
        to_vm86 v_iret, VM | IOPL3
        say 'hlt: '
        to_vm86 v_hlt, VM | IOPL3
        say 'lgdt: '
        to_vm86 v_lgdt, VM | IOPL3
        say 'sldt: '
        to_vm86 v_sldt, VM | IOPL3
        say 'mov cr0: '
        to_vm86 v_cr0, VM | IOPL3
        say 'smsw: '
        to_vm86 v_smsw, VM | IOPL3
        say 'divide: '
        to_vm86 v_div, VM
        say 'port open: '
        to_vm86 v_port, VM
        say 'port closed: '
        mov byte [bitmap + 0xe9 / 8], 1 << (0xe9 % 8)
        to_vm86 v_port, VM | IOPL3
        mov byte [bitmap + 0xe9 / 8], 0
        say 'limit: '
        to_vm86 v_limit, VM
        say 'stack wrap: '
        to_vm86 v_stack, VM
        say 'trace: '
        to_vm86 v_nop, VM | 0x100
        say 'far: '
        to_vm86 v_far, VM | IOPL3
        say 'conforming handler: '
        mov byte [idt + 0x20 * 8 + 2], SEL_CONF
        to_vm86 v_int, VM | IOPL3
        mov byte [idt + 0x20 * 8 + 2], SEL_CODE32
        say 'gate dpl 0: '
        mov byte [idt + 0x20 * 8 + 5], 0x8e
        to_vm86 v_int, VM | IOPL3
        mov byte [idt + 0x20 * 8 + 5], 0xee
        say 'int3: '
        to_vm86 v_int3, VM
        finish

syscall_entry:                  ; EIP CS EFLAGS ESP SS ES DS FS GS
        say 'frame '
        hex dword [esp]
        hex dword [esp + 4]
        push dword [esp + 8]
        and dword [esp], 0x27fd5
        call puthex_32
        hex dword [esp + 12]
        hex dword [esp + 16]
        hex dword [esp + 20]
        hex dword [esp + 24]
        hex dword [esp + 28]
        hex dword [esp + 32]
        mov eax, ds
        hex eax
        mov eax, gs
        hex eax
        iret

        bits 16
v_int:  mov ax, ss
        mov fs, ax
        int 0x20
        mov ax, ds
        mov [scratch], ax
        mov bx, [fs:scratch]
        cmp ax, bx
        jne .bad
        ud2
.bad:   hlt
v_cli:  cli
        sti
        ud2
v_pushf:
        pushf
        ud2
v_popf: pushf
        pop ax
        or ax, 0x7000
        and ax, 0xefff          ; IOPL 2 is not taken
        push ax
        popf
        pushf
        pop ax
        and ax, 0x7000
        cmp ax, 0x7000
        jne .bad
        push word 0             ; leave without NT
        popf
        ud2
.bad:   hlt
v_iret: pushf
        push cs
        push word .on
        iret
.on:    ud2
v_hlt:  hlt
v_lgdt: lgdt [gdtr]
v_sldt: sldt ax
v_cr0:  mov eax, cr0
v_smsw: smsw ax
        and al, 1
        jz .bad
        ud2
.bad:   hlt
v_div:  xor bx, bx
        div bx
v_port: mov al, '!'
        out 0xe9, al
        ud2
v_limit:
        mov bx, 0xffff
        mov ax, [bx]
        ud2
v_stack:
        mov sp, 1
        push ax
        ud2
v_nop:  nop
        nop
v_far:  call (BASE >> 4) + 1:v_sub - 16
        cmp ax, (BASE >> 4) + 1
        jne .bad
        ud2
.bad:   hlt
v_sub:  mov ax, cs
        retf
v_int3: int3
scratch: dw 0

        protected_tables
        ; tss, tss2 and tss16 lie together: the bitmap runs over tss2
bitmap  equ tss2
        protected_handlers
        program_end
