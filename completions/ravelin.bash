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
    events)
        echo "--follow --export --summary --strict --monitor --domain --kind" \
            "--cr3 --process --vcpu --since --until --build-dir --image --json"
        ;;
    lint-vmcs) echo "--json --build-dir --image" ;;
    v4v) echo "--machine --via --timeout --all --build-dir --image --json" ;;
    bench)
        echo "--output --manifest --linux-manifest --no-linux --source" \
            "--v4v-manifest --v4v-pair-manifest --no-v4v --monitor-manifest --no-monitor --strict --qemu --build-dir --image --json"
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
            "doctor check build run console v4v events bench lint-vmcs help --help --version" \
            -- "$cur")
        return
    fi
    case $prev in
    --build-dir | --source | -m | --machine)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    -o | --output | --image | --qemu | --manifest | --linux-manifest)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    esac
    if [ "$prev" = --kind ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "cr0 cr3 cr4 int3 access step request msr inject" -- "$cur")
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_ravelin_options "$verb") --help" -- "$cur")
    elif [ "$verb" = v4v ] && [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "list rules add del explain stats limits" -- "$cur")
    elif [ "$verb" = console ] && [ "$COMP_CWORD" -eq 3 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_ravelin_domains "${COMP_WORDS[2]}")" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}

complete -o filenames -F _ravelin ravelin
