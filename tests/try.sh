#!/bin/bash
# hillock try from outside: the files it leaves, what it shows, what it refuses.
# usage: try.sh HILLOCK
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
hillock=$1
small=(--data glyphs:train=100,test=50 --epochs 1 --seeds 2)

a_formula_is_ranked()
{
    "$hillock" try 'x*tanh(exp(x))' "${small[@]}" >out 2>err || return 1
    for file in tried.c tried.so results.db report.html; do
        [ -s try-1/$file ] || return 1
    done
    [ "$(grep -c '^+ hillock ' out)" = 5 ] && grep -q '^good: 1 plugin' out &&
        grep -Eq '^ +[0-9]+  tried ' out && grep -q 'open try-1/report.html' out &&
        grep -q '18 of 18 runs' err && grep -q '>tried<' try-1/report.html
}

# The commands it shows can be run by hand; this one finds all runs there.
its_commands_are_true()
{
    eval "'$hillock' $(sed -n 's/^+ hillock \(compare .*\)/\1/p' out)" >again 2>err &&
        grep -q '18 runs, 18 of them there already' err &&
        diff <(grep -A 12 '^rank' out) <(grep -A 12 '^rank' again)
}

the_next_try_has_its_own_folder_and_net()
{
    "$hillock" new model net && "$hillock" build net.c &&
        "$hillock" try 'a*x' --param a=0.5:0:1 --name half --model ./net.so "${small[@]}" >out 2>err &&
        [ -s try-2/half.so ] && grep -Eq '^ +[0-9]+  half ' out && grep -q ', net: test accuracy' out
}

# Beyond a million it is a warning, in the answer and on the page. A formula may begin with a sign.
what_is_wrong_far_out_is_told()
{
    "$hillock" try '-log(1 + x^2)' --name far "${small[@]}" --seeds 1 >out 2>err || return 1
    grep -q '^  warning  special ' out && grep -Eq '^ +[0-9]+  far ' out &&
        grep -q 'far has no right value or derivative at x = 1e+20' try-3/report.html
}

# refuses STATUS TEXT ARGUMENT...
refuses()
{
    local expected=$1 text=$2
    shift 2
    "$hillock" try "$@" >out 2>err
    local status=$?
    cat out err
    [ $status = "$expected" ] && grep -qF -e "$text" err
}

a_wrong_formula_leaves_nothing()
{
    refuses 2 'column 3' 'x*' --out wrong && [ ! -e wrong ]
}

what_fails_its_checks_is_not_ranked()
{
    refuses 1 'bad/tried.c is there to be mended' 'x*x' --derivative x --out bad "${small[@]}" && [ ! -e bad/results.db ]
}

a_folder_that_is_there_is_left_alone()
{
    mkdir mine && refuses 4 'mine: File exists' x --out mine && [ -z "$(ls mine)" ]
}

run a_formula_is_ranked
run its_commands_are_true
run the_next_try_has_its_own_folder_and_net
run what_is_wrong_far_out_is_told
run a_wrong_formula_leaves_nothing
run what_fails_its_checks_is_not_ranked
run a_folder_that_is_there_is_left_alone
result
