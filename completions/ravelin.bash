# SPDX-License-Identifier: BSD-2-Clause
# Completion of ravelin(1) for bash.

_ravelin_options()
{
    case $1 in
    doctor) echo "--build-dir --image --json" ;;
    check) echo "--no-files --schema --build-dir --image --json" ;;
    build) echo "--output --iso --append --build-dir --image --json" ;;
    run)
        echo "--output --smp --mem --icount --gdb --append --qemu --focus" \
            "--quiet --timeout --expect --send --keep --build-dir --image" \
            "--json"
        ;;
    lint-vmcs) echo "--json --build-dir --image" ;;
    bench)
        echo "--output --manifest --linux-manifest --no-linux --source" \
            "--strict --qemu --build-dir --image --json"
        ;;
    esac
}

# The domains of a bundle, one per line.
_ravelin_domains()
{
    sed -n '/"domains"/,/\]/s/.*"name": "\([^"]*\)".*/\1/p' \
        "$1/bundle.json" 2>/dev/null
}

_ravelin()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local verb=${COMP_WORDS[1]}

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "doctor check build run console bench lint-vmcs help --help --version" \
            -- "$cur")
        return
    fi
    case $prev in
    --build-dir | --source)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    -o | --output | --image | --qemu | --manifest | --linux-manifest)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_ravelin_options "$verb") --help" -- "$cur")
    elif [ "$verb" = console ] && [ "$COMP_CWORD" -eq 3 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_ravelin_domains "${COMP_WORDS[2]}")" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -o filenames -F _ravelin ravelin
