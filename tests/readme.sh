#!/bin/bash
# Does what README.md says: writes its C files, runs its commands in order in a folder that looks
# like the tree, and checks what they claim. Left out: tools/ (the suite itself) and sudo.
# usage: readme.sh BUILD SOURCE
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
build=$1 source=$2
readme=$source/README.md
ln -s "$build" build
ln -s "$source/framework" framework
mkdir prefix
cmake --install "$build" --prefix "$work/prefix" >install.log || cat install.log
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name hillock.pc)")

# block LANGUAGE [FILE]: the fenced blocks with this first line.
block()
{
    awk -v fence="\`\`\`$*" '/^```/ { inside = !inside && $0 == fence; next } inside' "$readme"
}

commands()
{
    block sh | grep -v -e '^tools/' -e '^sudo ' |
        sed -e 's/^.* try .*/& --seeds 3 --epochs 2/' -e '/preact/s/train=400,test=200/train=64,test=32/' \
            -e '/preact/s/--seeds 3 --epochs 4/--seeds 1 --epochs 1/'
}

examples_are_those_of_the_tests()
{
    local name
    for name in first_model own_loop; do
        block c $name.c >$name.c
        diff $name.c "$source/tests/examples/$name.c" || return 1
    done
    [ "$(wc -l <first_model.c)" -le 30 ]
}

the_plugin_is_short()
{
    block c tanhexp.c >tanhexp.c
    [ -s tanhexp.c ] && [ "$(wc -l <tanhexp.c)" -le 15 ]
}

the_model_is_short()
{
    block c preact.c >preact.c
    [ -s preact.c ] && [ "$(wc -l <preact.c)" -le 25 ]
}

command_works()
{
    bash -c "$1" >output 2>&1
    local status=$?
    cat output
    case $1 in
    *' try '*) grep -Eq '^ *[0-9]  tried ' output && [ -s try-1/report.html ] ;;
    *' doctor preact'*) grep -q ' units learn' output ;;
    *' doctor '*) grep -q 'do not learn' output ;;
    *' compare --model '*) [ "$(grep -c '^ *[1-4]  *.* baseline$' output)" = 2 ] && grep -q ' preact:width=2: ' output ;;
    *' check '*) grep -q '^good: 1 plugin' output ;;
    *' --forecast'*) grep -q 'learn' output ;;
    *' inspect '*) grep -q 'x \* tanh(exp(x))' output ;;
    *' check '*) grep -q '^good: 1 plugin, ' output ;;
    *' curve '*tanhexp*) grep -q $'^0\t0\t0.76159' output ;;
    *' compare '*) grep -q '^ *[1-3]  *\(\./\)\{0,1\}tanhexp' output ;;
    *' list '*) grep -q '^  tanhexp ' output ;;
    ./first_model) grep -q '^test accuracy 9' output ;;
    ./own_loop) grep -q '^loss 0.0' output ;;
    esac && [ $status = 0 ]
}

the_plugin_exports_one_symbol()
{
    [ "$(nm -D --defined-only tanhexp.so | awk '{ print $3 }')" = hk_bundle_entry ] &&
        ! nm -D --undefined-only tanhexp.so | grep -i hk
}

the_plugin_needs_the_installed_header_alone()
{
    cc -O2 -fPIC -shared -I"$work/prefix/include" tanhexp.c -o from_prefix.so &&
        build/bin/hillock curve ./from_prefix.so 0
}

run examples_are_those_of_the_tests
run the_plugin_is_short
run the_model_is_short
while IFS= read -r line; do
    run command_works "$line"
done < <(commands)
run the_plugin_exports_one_symbol
run the_plugin_needs_the_installed_header_alone
result
