# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# slabwork.bash - completion of the slabwork command: commands, options, processes, caches

_slabwork_processes() { # ids and names of processes that run on slabwork
    "$1" list 2>/dev/null | awk '{ print $1; print $2 }'
}

_slabwork() {
    local sw=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words=
    COMPREPLY=()

    if [ "$COMP_CWORD" = 1 ]; then
        words=$("$sw" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words help version" -- "$cur")
        return
    fi
    case $command in
    run)
        local i
        for ((i = 2; i < COMP_CWORD; i++)); do # the program's own words
            case ${COMP_WORDS[i]} in
            --) [ "$((i + 1))" -lt "$COMP_CWORD" ] && { mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return; } ;;
            --slabwork) ((i++)) ;;
            -*) ;;
            *) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
            esac
        done
        case $cur in
        -*) mapfile -t COMPREPLY < <(compgen -W '--slabwork --no-control --verbose --quiet --help --' -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
        esac
        return
        ;;
    mount | umount)
        case $prev in
        -o) mapfile -t COMPREPLY < <(compgen -W 'size= nr_inodes= mode= uid= gid= xattr writethrough threads= cache_mb= ro nosuid nodev noexec noatime allow_other auto_unmount' -- "$cur") ;;
        *) case $cur in
            -*) mapfile -t COMPREPLY < <(compgen -W "$([ "$command" = mount ] && echo -f -q -v -o || echo -l) --help" -- "$cur") ;;
            *)
                if [ "$command" = umount ]; then
                    words=$(awk '/ - fuse\.slabwork / { print $5 }' /proc/self/mountinfo)
                elif [ "$COMP_CWORD" = 2 ]; then
                    words='tmpfs dax proc'
                fi
                mapfile -t COMPREPLY < <(
                    compgen -W "$words" -- "$cur"
                    [ "$command" = mount ] && compgen -d -- "$cur"
                )
                ;;
            esac ;;
        esac
        return
        ;;
    help) words=$("$sw" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p') ;;
    esac
    case $prev in
    --sort) words='bytes growth objects name' ;;
    -o | --output)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    -d | --keep | --only) return ;;
    esac
    if [ -z "$words" ]; then
        case $cur in
        -*)
            # The options that the command's own help names.
            words="$("$sw" "$command" --help 2>/dev/null | grep -oE '(^|[ [])--?[a-z][a-z-]*' | tr -d ' [' | sort -u) --help"
            ;;
        *)
            if [ "$command" = slab ] && [ "$COMP_CWORD" = 3 ]; then
                words=$("$sw" slab "$prev" 2>/dev/null)
            else
                words=$(_slabwork_processes "$sw")
            fi
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _slabwork slabwork
