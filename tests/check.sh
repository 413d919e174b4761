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

sanitized=''
! grep -q __asan_report_load "$hillock" || sanitized=1

# The first line says: /* TEST, "WORDS": FAULT */, the second may be /* flags: ... */
read_lines()
{
    local first second
    { read -r first && read -r second; } <"$1"
    name=${1##*/} name=${name%.c} test='' words='' flags=''
    [[ "$first" =~ ^'/* '([a-z]+)[,:] ]] && test=${BASH_REMATCH[1]}
    [[ "$first" =~ ', "'(.*)'": ' ]] && words=${BASH_REMATCH[1]}
    [[ "$second" =~ ^'/* flags: '(.*)' */'$ ]] && flags=${BASH_REMATCH[1]}
    return 0
}

# A sanitized program is slow, and what it may show is a fault of its own: of each test it gets one
# animal, and those good ones that go through most of its lines. Limits of time and memory it has none.
is_met()
{
    read_lines "$1"
    case $name in
    good_many_slots* | good_block | good_one_row_sets | slope_sign | aborts | crash | exits) return ;;
    good_* | loop | memory_bomb) return 1 ;;
    esac
    [[ " $met " != *" $test "* ]] || return
    met+=" $test"
}

# A compiler may lack what its own options need, as clang does whose runtime is not installed.
can_build()
{
    read_lines "$1"
    [ -z "$flags" ] || "$CC" -w -fPIC -shared $flags -I"$source/framework/include" "$1" -Wl,-z,defs \
        -o probe.so -lm 2>/dev/null
}

animals=() met=''
for animal in "$source"/tests/zoo/*.c; do
    if [ "$sanitized" ] && ! is_met "$animal"; then
        continue
    elif can_build "$animal"; then
        animals+=("$animal")
    else
        echo "skipped: $CC cannot link what is built with $flags"
        skipped=$((skipped + 1))
    fi
done

# Builds one animal and checks it: NAME.so, NAME.out, NAME.status. The right ones, and those that end
# their worker, go through the tests, the others through the one that their first line names.
examine()
{
    local only level=-O1
    read_lines "$1"
    case $name in
    good_*) only=--quick level=-O2 ;;
    aborts | crash | exits) only='' ;;
    *) only="--test $test" ;;
    esac
    "$CC" $level -w -fPIC -shared -fvisibility=hidden $flags -I"$source/framework/include" "$1" \
        -o "$name.so" -lm || return 1
    "$hillock" check --jobs 1 $only "./$name.so" >"$name.out" 2>&1
    echo $? >"$name.status"
}
export -f examine read_lines
printf '%s\0' "${animals[@]}" |
    xargs -0 -n 4 -P "$(nproc)" bash -c 'for animal; do examine "$animal" || exit 1; done' _ || exit 1

found_out()
{
    read_lines "$1"
    cat "$name.out"
    [ "$(<"$name.status")" != 0 ] &&
        grep -E "^  FAILED +$test " "$name.out" | grep -qF -e "$words"
}

cleared()
{
    read_lines "$1"
    cat "$name.out"
    [ "$(<"$name.status")" = 0 ]
}

for animal in "${animals[@]}"; do
    case $animal in
    */good_*) run cleared "$animal" ;;
    */*_avx2.c) # of a processor with several instruction sets
        if "$hillock" inspect relu | grep -q avx2; then run found_out "$animal"
        else skipped=$((skipped + 1)); fi ;;
    *) run found_out "$animal" ;;
    esac
done
run "$hillock" check ./good_*.so --test threads
run "$hillock" check ./good_*.so --test names

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
# All that is built in, which --all refuses when a name is there twice; of the tests that --quick leaves
# out, names and threads on a few: four threads are seen by net, too.
few='relu lgb_relu swiglu softmax rrelu batch_norm group_norm spectral_norm orthogonal lenet5'
every=--all
[ ! "$sanitized" ] || every=$few
run "$hillock" check $every --quick
run "$hillock" check $few --test names
run "$hillock" check $few --test threads

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
