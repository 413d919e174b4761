#!/bin/bash
# hillock judge: keep, drop or more, what a ledger remembers, and what it refuses.
# usage: judge.sh HILLOCK SOURCE
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
hillock=$1 source=$2
settings=(--data glyphs:train=200,test=20 --model mlp:width=16,depth=8 --epochs 2 --val 0.4 --jobs 8)

judge() # STATUS VERDICT ARGUMENT...: the answer in `out`, with this exit status and verdict
{
    local expected=$1 verdict=$2
    shift 2
    "$hillock" judge "$@" --json >out 2>err
    local status=$?
    cat out err
    [ $status = "$expected" ] && grep -q "\"verdict\": \"$verdict\"" out && grep -q '"schema": 1' out
}

field() # NAME
{
    sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}$/\1/p" out
}

# relu loses half its units here, x none: it is kept, and the others are held against it.
a_better_one_is_kept()
{
    judge 7 more x --ledger a.db "${settings[@]}" --most 20 --seeds 2 && [ "$(field seeds)" = 2 ] &&
        grep -q 'candidate 1 of a.db: at most 20 seeds of it and of the incumbent' err &&
        judge 0 keep x --ledger a.db && [ "$(field number)" = 1 ] && grep -q '"candidate": "relu"' out &&
        grep -q '4 of them there already' err
}

the_kept_one_is_the_incumbent()
{
    judge 7 more 'x/2' --ledger a.db --seeds 1 && [ "$(field number)" = 2 ] &&
        grep -q '"candidate": "x"' out && grep -q ' seed 1001: ' err &&
        [ "$(field level | cut -c 1-6)" = 0.0065 ]
}

a_verdict_stays()
{
    judge 0 keep x --ledger a.db && ! grep -q 'runs' err && [ "$(field number)" = 1 ]
}

losers_are_dropped_early()
{
    judge 6 drop '0*x' --ledger a.db && [ "$(field seeds)" -le 6 ] && grep -q 'a lead of 1 dev' out
}

what_fails_is_dropped()
{
    "$hillock" build "$source/tests/zoo/crash.c" --out crash.so && judge 6 drop ./crash.so --ledger a.db &&
        grep -q '"reason": "it failed at seed 1001: .*ended by a signal' out
}

the_same_net_is_dropped()
{
    judge 6 drop 'x+0' --ledger a.db && grep -q 'weight by weight' out
}

# A search reads the answer and the status: what it could not read is none.
a_lost_verdict_is_a_failure()
{
    "$hillock" judge relu --ledger b.db --json >/dev/full 2>err
    local status=$?
    cat err
    [ $status = 4 ] && grep -q 'standard output: No space left' err
}

run a_better_one_is_kept
run the_kept_one_is_the_incumbent
run a_verdict_stays
run losers_are_dropped_early
run what_fails_is_dropped
run the_same_net_is_dropped
# What names no activation is no candidate: the next one has its number.
run refuses 2 'a.db was begun with another --most, 20; leave it out' "$hillock" judge mish --ledger a.db --most 21
run refuses 2 'a.db was begun with another --clip, the default' "$hillock" judge mish --ledger a.db --clip 1
run refuses 2 'no activation named "reluu"' "$hillock" judge reluu --ledger a.db
run refuses 2 'new: column 3' "$hillock" judge 'x+' --ledger a.db
run refuses 2 '--ledger FILE is missing' "$hillock" judge mish
run refuses 2 'no model named' "$hillock" judge mish --ledger b.db --model mlpp
run judge 6 drop relu --ledger b.db "${settings[@]}" # the refused call began nothing
if [ -w /dev/full ]; then run a_lost_verdict_is_a_failure; else skipped=1; fi
result
