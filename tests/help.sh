#!/bin/bash
# What the program says about itself: overview, help, manual page, version, completion, suggestions.
# usage: help.sh HILLOCK
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
hillock=$1
commands=$("$hillock" | sed -n 's/^  \([a-z]*\)  .*/\1/p' | grep -v -x -e specs -e environment -e files)

options_of() # what `hillock COMMAND --help` lists
{
    "$hillock" "$1" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

the_overview_comes_without_being_asked_for()
{
    "$hillock" >alone && "$hillock" help | diff alone - && "$hillock" --help | diff alone - &&
        [ "$(wc -w <<<"$commands")" -gt 12 ] && ! grep -q worker alone
}

each_command_has_help_with_examples()
{
    local command
    for command in $commands; do
        "$hillock" "$command" --help >text && "$hillock" help "$command" | diff text - &&
            grep -q '^Examples:$' text && grep -q "^  hillock $command" text &&
            options_of "$command" | grep -qx -e --help || return 1
    done
}

text_fits_a_terminal()
{
    local command
    for command in $commands specs exit-status environment files; do
        "$hillock" help "$command" | grep -v '^  hillock ' | awk 'length > 80 { print; bad = 1 } END { exit bad }' || return 1
    done
    ! "$hillock" | awk 'length > 80' | grep .
}

the_manual_lists_what_help_lists()
{
    local command
    "$hillock" help man >page
    for command in $commands; do
        diff <(options_of "$command") <(sed -n "/^\.SS hillock $command /,/^Examples:/p" page |
            sed 's/\\-/-/g' | sed -n 's/^\.B \(--[a-z-]*\).*/\1/p') || return 1
    done
    [ "$(grep -c '^\.SS ' page)" = "$(wc -w <<<"$commands")" ] && grep -q '^\.B HILLOCK_PLUGIN_PATH' page
}

the_manual_is_good_troff()
{
    "$hillock" help man | groff -man -Tutf8 -ww 2>&1 >text | diff /dev/null - && grep -q 'batch size' text
}

topics_name_what_the_program_reads()
{
    local name
    for name in HILLOCK_PLUGIN_PATH HILLOCK_ISA HILLOCK_ENGINE NO_COLOR CC; do
        "$hillock" help environment | grep -q "^  $name " || return 1
    done
    [ "$("$hillock" help exit-status | grep -c '^  [0-9]')" = 9 ]
}

the_version_has_its_build()
{
    "$hillock" --version | grep -Eq '^hillock [0-9]+\.[0-9]+\.[0-9]+$' &&
        "$hillock" --version | grep -Eqx 'instruction set: (baseline|avx2|avx512|neon)' &&
        "$hillock" --version | grep -q '^compiler: '
}

refuses() # TEXT ARGUMENT...: exit status 2, this sentence, no result
{
    local text=$1
    shift
    "$hillock" "$@" >out 2>err
    local status=$?
    cat out err
    [ $status = 2 ] && [ ! -s out ] && grep -qF -e "$text" err
}

completion_completes()
{
    eval "$("$hillock" --completion bash)" || return 1
    COMP_WORDS=(hillock pre) COMP_CWORD=1
    _hillock && [ "${COMPREPLY[*]}" = predict ] || return 1
    COMP_WORDS=(hillock train --opt) COMP_CWORD=2
    _hillock && [ "${COMPREPLY[*]}" = --optimizer ]
}

run the_overview_comes_without_being_asked_for
run each_command_has_help_with_examples
run text_fits_a_terminal
run the_manual_lists_what_help_lists
if command -v groff >/dev/null; then run the_manual_is_good_troff; else skipped=1; fi
run topics_name_what_the_program_reads
run the_version_has_its_build
run refuses 'unknown command "trian"; did you mean "train"? known: ' trian
run refuses 'unknown command "trian"; did you mean "train"? known: ' help trian
run refuses 'unknown command "xyz"; known: ' xyz
run refuses 'train: unknown option --epoch; did you mean "--epochs"? known: --data, ' train mlp --epoch=3
run refuses 'unknown option --verison; did you mean "--version"? known: ' --verison
run refuses 'expected bash' --completion zsh
run completion_completes
result
