#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Records PROGRAM.out from Bochs, which checks segment limits, and shows where
# QEMU's interpreter disagrees. Needs nasm, bochs with bochs-term, script(1)
# and qemu-system-i386.
#
# Usage: record.sh PROGRAM...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in "$@"; do
    nasm -f bin -I "$here/" -o "$work/rom.bin" "$here/$program.asm"
    cat >"$work/rc" <<RC
plugin_ctrl: unmapped=1, biosdev=0, speaker=0, serial=0, parallel=0, iodebug=1
config_interface: textconfig
display_library: term
megs: 16
cpu: model=core2_penryn_t9600, count=1, ips=50000000, reset_on_triple_fault=0
romimage: file=$work/rom.bin
port_e9_hack: enabled=1
panic: action=fatal
error: action=ignore
info: action=ignore
log: $work/log
clock: sync=none
RC
    printf 'c\nq\n' >"$work/dbg"
    TERM=xterm timeout 20 script -qec \
        "bochs-bin -q -f $work/rc -rc $work/dbg" /dev/null \
        </dev/null >"$work/raw" 2>&1 || true
    # What the program wrote, from its first line to its last.
    tr -d '\r' <"$work/raw" | sed -e 's/\x1b[[(][0-9;?]*[a-zA-Z]//g' \
        -e 's/\x1b[=>()].\?//g' |
        awk '/^=begin=$/ {on = 1} on {print} /^end$/ {on = 0}' \
            | head -c 60000 >"$here/$program.out"
    timeout 20 qemu-system-i386 -display none -no-reboot -m 16 \
        -bios "$work/rom.bin" -debugcon "file:$work/qemu" \
        -device isa-debug-exit,iobase=0xf4,iosize=1 || true
    echo "$program: Bochs (<) against QEMU (>)"
    diff "$here/$program.out" "$work/qemu" | head -n 40 || true
done
