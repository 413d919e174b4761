#!/bin/bash
# hillock check from outside: every animal of tests/zoo is found out, by the test and with the words
# that its first line names; the good ones and every built-in are not accused.
# usage: check.sh HILLOCK SOURCE-DIRECTORY
hillock=$1 source=$2
. "$source/tests/shell.sh"
command -v "${CC:-cc}" >/dev/null || {
    echo 'skipped: no compiler'
    exit 77
}
export CC=${CC:-cc} hillock source

# Builds one animal and checks it: NAME.so, NAME.out, NAME.status. The right ones, and those that end
# their worker, go through all tests, the others through the one that their first line names.
examine()
{
    name=$(basename "$1" .c) only=''
    case $name in
    good_* | aborts | crash | exits) ;;
    *) only="--test $(sed -n '1s|^/\* \([a-z]*\)[,:].*|\1|p' "$1")" ;;
    esac
    flags=$(sed -n 's|^/\* flags: \(.*\) \*/$|\1|p' "$1")
    "$CC" -O2 -w -fPIC -shared -fvisibility=hidden $flags -I"$source/framework/include" "$1" \
        -o "$name.so" -lm || return 1
    "$hillock" check --jobs 1 $only "./$name.so" >"$name.out" 2>&1
    echo $? >"$name.status"
}
export -f examine
printf '%s\0' "$source"/tests/zoo/*.c |
    xargs -0 -n 1 -P "$(nproc)" bash -c 'examine "$1"' _ || exit 1

# The first line says: /* TEST, "WORDS": FAULT */
found_out()
{
    test=$(sed -n '1s|^/\* \([a-z]*\)[,:].*|\1|p' "$1")
    words=$(sed -n '1s|^/\* [a-z]*, "\(.*\)": .*|\1|p' "$1")
    name=$(basename "$1" .c)
    cat "$name.out"
    [ "$(cat "$name.status")" != 0 ] &&
        grep -E "^  FAILED +$test " "$name.out" | grep -qF -e "$words"
}

cleared()
{
    name=$(basename "$1" .c)
    cat "$name.out"
    [ "$(cat "$name.status")" = 0 ]
}

for animal in "$source"/tests/zoo/*.c; do
    case $animal in
    */good_*) run cleared "$animal" ;;
    */memory_bomb.c) # a sanitized program has limits of another kind
        if grep -q __asan_report_load "$hillock"; then skipped=$((skipped + 1))
        else run found_out "$animal"; fi ;;
    *) run found_out "$animal" ;;
    esac
done

# What ends a worker is told by the test that it ended, not once more as the end of a process.
told_once()
{
    [ -s aborts.out ] && [ -s crash.out ] && [ -s exits.out ] &&
        ! grep -H '^  FAILED   worker ' aborts.out crash.out exits.out
}
run told_once

# ---- What is good, and the forms
# As many slots as there can be: every command takes them, on both sides of a residual.
many='--act ./good_many_slots.so --norm ./good_many_slots_norm.so'
run "$hillock" inspect resnet20 $many
run "$hillock" train resnet20 --data glyphs:train=64,test=20,size=16 --epochs 1 --batch 16 $many \
    --out many.safetensors
plugins='--plugin ./good_many_slots.so --plugin ./good_many_slots_norm.so'
run "$hillock" inspect many.safetensors $plugins
run "$hillock" doctor many.safetensors --data glyphs:train=64,test=20,size=16 $plugins
run "$hillock" compare --model lenet5 --data glyphs:train=64,test=20 --epochs 1 --seeds 1 $many \
    --db many.db
# All that is built in; of a sanitized program a few of each kind, which takes long.
every=--all
grep -q __asan_report_load "$hillock" &&
    every='relu prelu lgb_relu swiglu softmax rrelu batch_norm group_norm spectral_norm
        orthogonal sparse lenet5'
run "$hillock" check $every --quick # all but names, threads and speed
run "$hillock" check $every --test names
run "$hillock" check $every --test threads

status() # EXPECTED ARGUMENT...
{
    expected=$1
    shift
    "$hillock" check "$@"
    [ $? = "$expected" ]
}
run status 0 relu batch_norm he_normal --strict --test memory
run status 2
run status 2 no_such_plugin
run status 3 ./missing.so
echo 'not a shared object' >text.so
run status 3 ./text.so
run status 1 ./slope_sign.so --test derivative
run status 0 ./slope_sign.so --test memory
# Names of files that are not UTF-8.
cp slope_sign.so $'sign\xff.so' && cp text.so $'text\xff.so'
run status 1 $'./sign\xff.so' --test derivative
run status 3 $'./text\xff.so'

# Each by its whole name, though it may be the beginning of another.
tests_are_listed()
{
    "$hillock" check relu --test no_such_test 2>out
    [ $? = 2 ] && grep -q ' gradients, gradient, ' out
}
run tests_are_listed

reports_json()
{
    "$hillock" check --json relu ./slope_sign.so >out
    [ $? = 1 ] && grep -q '"good": false' out && grep -q '"test": "derivative"' out &&
        grep -q '"result": "failed"' out
}
run reports_json

# The line below a failure says how to see it again.
again()
{
    "$hillock" check ./slope_sign.so >out
    command=$(sed -n 's/^ *again: hillock //p' out | head -n 1)
    [ -n "$command" ] && ! "$hillock" $command >out && grep -q 'FAILED   derivative' out
}
run again
result
