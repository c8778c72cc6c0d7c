; SPDX-License-Identifier: BSD-2-Clause
; Protected mode: exceptions with error codes, segment loads, call gates with
; parameters and stack switch, ring 3, conforming code, 16-bit segments, LDT,
; LAR, LSL, VERR, VERW, ARPL, and back to real mode.
%include "prog.inc"

start:
        say `=begin=\n`
        enter_protected main

        bits 32
main:   load_data
        mov ax, SEL_TSS
        ltr ax
        mov dword [tss + 4], 0xd000
        mov dword [tss + 8], SEL_DATA
        mov ax, SEL_LDT
        lldt ax

        try 'divide', div dword [zero]
        try 'ud', ud2
        try 'null ds', call load_null
        try 'not present', call load_absent
        try 'beyond table', call load_beyond
        try 'code in ds', call load_execute_only
        try 'ldt entry', call load_ldt
        try 'ss null', call ss_null
        try 'ss read-only', call ss_readonly
        try 'ss absent', call ss_absent
        try 'jmp data', jmp SEL_DATA:0
        try 'jmp null', jmp 0:0
        try 'jmp absent', jmp SEL_SCREEN:0
        try 'ltr busy', call ltr_busy
        try 'lldt data', call lldt_data
        try 'int 20h', int 0x20
        try 'int 21h', int 0x21
        try 'int3', int3
        try 'write code', mov byte [cs:zero], 1

        say 'probes: '
        mov eax, SEL_CODE3
        lar ebx, eax
        hexflags
        hex ebx
        mov eax, SEL_FLAT
        lsl ebx, eax
        hex ebx
        mov eax, SEL_GATE
        lsl ebx, eax
        hexflags
        lar ebx, eax
        hexflags
        mov eax, 0xfff8
        lar ebx, eax
        hexflags
        mov ax, SEL_ROCODE
        verr ax
        hexflags
        mov ax, SEL_RODATA
        verw ax
        hexflags
        mov ax, SEL_DATA
        verw ax
        hexflags
        mov ax, SEL_DATA
        mov bx, 3
        arpl ax, bx
        hexflags
        and eax, 0xffff
        hex eax
        newline

        say 'to 16-bit: '
        jmp SEL_CODE16:code16
        bits 16
code16: mov ax, SEL_DATA16
        mov ss, ax
        mov esp, 0x1c000
        push ax
        say 'here '
        pop bx
        hex ebx
        mov eax, esp
        push eax
        pop ebx
        and ebx, 0x1ffff
        hex ebx
        mov ax, SEL_DATA
        mov ss, ax
        mov esp, 0xe000
        jmp dword SEL_CODE32:code32
        bits 32
code32: newline

        say 'conforming: '
        call SEL_CONF:conf_sub
        mov eax, cs
        hex eax
        newline

        say 'gate same level: '
        mov word [gdt + (SEL_GATE & ~7)], gate_same
        mov byte [gdt + (SEL_GATE & ~7) + 4], 0
        call SEL_GATE:0x12345678
        newline

        ; Down to ring 3 with IRET, back up through gates.
        say 'ring 3: '
        mov [recover_esp], esp
        mov dword [recover_eip], after_ring3
        push dword SEL_DATA3
        push dword 0xc000
        push dword 0x2
        push dword SEL_CODE3
        push dword ring3
        iret
after_ring3:
        say 'ring 3 cli: '
        mov dword [recover_eip], after_cli
        push dword SEL_DATA3
        push dword 0xc000
        push dword 0x3202
        push dword SEL_CODE3
        push dword ring3_iopl
        iret
after_cli:
        say 'retf outward: '
        mov dword [recover_eip], after_retf
        push dword SEL_DATA3
        push dword 0xc000
        push dword 0xaaaa
        push dword SEL_CODE3
        push dword ring3_retf
        retf 4
after_retf:

        say 'real again: '
        jmp SEL_CODE16:leave16
        bits 16
leave16:
        mov ax, SEL_DATA16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, 0xf000
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp (BASE >> 4):real
real:   mov ax, BASE >> 4
        mov ds, ax
        mov es, ax
        mov ss, ax
        lidt [ivtr]
        xor bx, bx
        mov es, bx
        mov word [es:0x30 * 4], ivt30
        mov [es:0x30 * 4 + 2], ax
        int 0x30
        newline
        finish
ivt30:  say 'int in real mode'
        iret

        bits 32
load_null:
        xor eax, eax
        mov es, ax
        mov byte [es:0], 1
        ret
load_absent:
        mov ax, SEL_SCREEN
        mov es, ax
        ret
load_beyond:
        mov ax, 0x1000
        mov es, ax
        ret
load_execute_only:
        mov ax, SEL_ROCODE
        mov es, ax
        ret
load_ldt:
        mov ax, 4
        mov es, ax
        mov ax, 0x14
        mov es, ax
        ret
ss_null:
        xor eax, eax
        mov ss, ax
        ret
ss_readonly:
        mov ax, SEL_RODATA
        mov ss, ax
        ret
ss_absent:
        mov ax, SEL_SCREEN
        mov ss, ax
        ret
ltr_busy:
        mov ax, SEL_TSS
        ltr ax
        ret
lldt_data:
        mov ax, SEL_DATA
        lldt ax
        ret
conf_sub:
        mov eax, cs
        hex eax
        retf
gate_same:
        say 'through '
        mov eax, [esp + 4]
        hex eax
        retf
gate_inner:
        say 'inner '
        mov eax, cs
        hex eax
        mov eax, ss
        hex eax
        hex dword [esp + 8]
        hex dword [esp + 12]
        push dword [esp + 20]
        and dword [esp], 0xffff
        call puthex_32
        retf 8
syscall_entry:
        say 'syscall '
        mov eax, cs
        hex eax
        mov eax, ss
        hex eax
        push dword [esp + 4]
        and dword [esp], 0xffff
        call puthex_32
        push dword [esp + 16]
        and dword [esp], 0xffff
        call puthex_32
        newline
        iret

; Ports are closed to ring 3 (no I/O bitmap), so it talks through gates.
ring3:  mov ax, SEL_DATA3
        mov ds, ax
        mov es, ax
        int 0x20
        push dword 0x1111
        push dword 0x2222
        mov word [gdt + (SEL_GATE & ~7)], gate_inner
        mov byte [gdt + (SEL_GATE & ~7) + 4], 2
        call SEL_GATE:0
        int 0x20
        call SEL_CONF:conf_quiet
        mov ax, SEL_DATA        ; more privileged: #GP
        mov es, ax
conf_quiet:
        mov ebx, cs
        retf
ring3_iopl:
        cli
        mov al, 'x'
        out 0xe9, al            ; IOPL 3 allows it
        hlt
ring3_retf:
        mov eax, esp
        cmp eax, 0xc004
        jne .bad
        mov ax, ds              ; DATA was dropped
        test ax, ax
        jnz .bad
        int3
.bad:   hlt

        align 4
zero:   dd 0
        protected_tables
        protected_handlers
        program_end
