#!/bin/bash
# hillock new, build and curve --plot from outside: files, refusals, exit statuses.
# usage: new.sh HILLOCK
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
hillock=$1

# refuses STATUS TEXT ARGUMENT...: this status, this in the last line of standard error, nothing on
# standard output.
refuses()
{
    local expected=$1 text=$2
    shift 2
    "$hillock" "$@" >out 2>err
    local status=$?
    cat out err
    [ $status = "$expected" ] && [ ! -s out ] && tail -n 1 err | grep -qF -e "$text" &&
        tail -n 1 err | grep -q '^hillock: '
}

a_formula_makes_a_file()
{
    "$hillock" new activation first --formula ' x*tanh( exp(x)) ' >out &&
        [ "$(cat out)" = first.c ] && grep -q '^/\* first: x \* tanh(exp(x))\.$' first.c &&
        [ "$(wc -l <first.c)" -le 20 ] && ! awk 'length > 100' first.c | grep .
}

# Names that are not known are learned, from 0 where they are added; slopes read no y.
a_normalization_is_made_of_a_formula()
{
    "$hillock" new normalization derf2 --formula 'g*erf(a*x + s) + b' 2>err && [ "$(wc -l <err)" = 4 ] &&
        grep -q 's is learned, from 0 on' err && grep -q 'a is learned, from 1 on' err &&
        "$hillock" new normalization grows --formula 'c + exp(x + b)' --param b=-3:learned 2>err &&
        [ "$(wc -l <err)" = 1 ] && grep -q '^HK_POINTWISE(grows, "c + exp(x + b)",$' grows.c &&
        ! grep -q 'a\.y' grows.c && "$hillock" build derf2.c &&
        "$hillock" check --quick ./derf2.so && "$hillock" train mlp:norm=1 --norm ./derf2.so \
        --data glyphs:train=40,test=20 --epochs 1 >out && grep -q 'accuracy' out
}

a_file_is_never_replaced()
{
    cp first.c before.c && refuses 4 'first.c is there already' new activation first --formula x &&
        cmp first.c before.c
}

out_is_a_folder_or_a_file()
{
    mkdir folder && "$hillock" new initializer one --out folder && [ -s folder/one.c ] &&
        "$hillock" new normalization two --out folder/ && [ -s folder/two.c ] &&
        "$hillock" new activation three --out folder/other.c && grep -q '(three,' folder/other.c &&
        refuses 4 'nowhere/four.c: No such file' new activation four --out nowhere/
}

an_error_has_a_caret()
{
    refuses 2 'column 6: unknown name "tahn"' new activation bad --formula 'x  + tahn(x)' &&
        [ "$(sed -n 1p err)" = '  x  + tahn(x)' ] && [ "$(sed -n 2p err)" = '       ^' ] &&
        [ ! -e bad.c ]
}

known_names_get_a_note()
{
    "$hillock" new activation relu --formula x 2>err && grep -q 'there is a plugin called "relu"' err
}

build_makes_objects_here()
{
    (mkdir here && cd here && "$hillock" build ../first.c ../folder/one.c >out && [ ! -s out ] &&
        [ -s first.so ] && [ -s one.so ])
}

# A sanitized program sees no signals.
a_model_that_hangs_is_named()
{
    ! grep -q __asan_report_load "$hillock" || return 0
    for hang in 'for (volatile int on = 1; on;) (void)p;' 'pause();'; do
        cat >hangs.c <<END && "$hillock" build hangs.c || return 1
#include <hillock/model.h>
#include <unistd.h>
static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    $hang
    return hk_linear(x, classes * (p != NULL));
}
static const hk_model hangs = {.build = build, .height = 4, .width = 4, .channels = 1};
HK_MODEL(hangs, hangs, .summary = "a fault", .source = "hillock's tests");
END
        (ulimit -S -t 1 && refuses 3 'model ./hangs.so: build() did not return' inspect ./hangs.so) || return 1
    done
}

build_shows_its_command()
{
    "$hillock" build -v first.c -o './a file.so' >out && [ -s 'a file.so' ] &&
        grep -q -- '-fPIC -shared .*-I.*/include first.c -o ./a file.so' out
}

build_passes_the_compilers_words_on()
{
    echo 'int f(void) { return 1 +; }' >broken.c
    refuses 1 'broken.c was not compiled' build broken.c && grep -q 'broken.c:1:' err
}

build_takes_no_shell_words()
{
    cp first.c 'a;touch b.c' && "$hillock" build 'a;touch b.c' -o odd.so && [ ! -e b.c ] && [ -s odd.so ]
}

build_uses_cc()
{
    CC='no-such-compiler -x' refuses 1 'no-such-compiler: No such file' build first.c
}

build_limits_the_compiler()
{
    printf '#!/bin/sh\nulimit -t >limits\nulimit -v >>limits\nexit 1\n' >limited && chmod +x limited
    CC=./limited refuses 1 'first.c was not compiled' build first.c && [ "$(sed -n 1p limits)" = 300 ] &&
        { [ "$(sed -n 2p limits)" = 4194304 ] || grep -q __asan "$hillock"; }
}

# As many functions within one another as there are: each is written once.
deep_formulas_compile()
{
    local deep=x wide=x
    for i in $(seq 60); do deep="tanh(x+$deep)"; done
    for i in $(seq 18); do wide="$wide,0.$i*x-$i"; done
    "$hillock" new activation deep --formula "$deep" && "$hillock" new activation wide --formula "max($wide)" &&
        [ "$(cat deep.c wide.c | wc -c)" -le 16000 ] && "$hillock" build wide.c && [ -s wide.so ]
}

a_plot_is_whole_or_not_there()
{
    "$hillock" curve ./here/first.so --plot first.svg --range -3:3 && head -c 4 first.svg | grep -q '<svg' &&
        [ "$(tail -n 1 first.svg)" = '</svg>' ] && grep -q 'prefers-color-scheme: dark' first.svg &&
        grep -q 'x \* tanh(exp(x))' first.svg && ! grep -q 'nan\|inf' first.svg &&
        refuses 4 'No such file' curve ./here/first.so --plot nowhere/a.svg &&
        (ulimit -f 1 && refuses 4 'full.svg' curve ./here/first.so --plot full.svg) &&
        [ ! -e full.svg ] && ! ls ./*.part ./*.tmp*
}

a_leftover_stops_no_plot()
{
    : >left.svg.part
    "$hillock" curve relu --plot left.svg && "$hillock" curve relu --plot left.svg && [ -s left.svg ]
}

a_model_trains()
{
    local little=glyphs:train=300,test=100
    "$hillock" new model net >out && [ "$(cat out)" = net.c ] && "$hillock" build net.c &&
        "$hillock" check --quick ./net.so >out && grep -q '^good: 1 plugin' out &&
        "$hillock" inspect ./net.so:width=4 >out && grep -q 'total .* 4,278 ' out &&
        "$hillock" train ./net.so:width=4 --data $little --out net.safetensors --json >out &&
        grep -q '"model": "net:width=4"' out && grep -q '"test_accuracy": 0\.[4-9]' out
}

# Another file of that name, or none: the graph is in the file of the net.
a_saved_net_needs_no_model()
{
    mkdir alone && mv net.safetensors alone && (cd alone &&
        "$hillock" evaluate net.safetensors --json | grep -q '"model": "net"' &&
        "$hillock" doctor net.safetensors | grep '^net.safetensors: net, ')
}

# As many functions side by side as a formula can hold.
long_formulas_compile()
{
    local long=x
    for i in $(seq 340); do long="$long+tanh(0.$((i + 99))*x)"; done
    "$hillock" new activation long --formula "$long" && grep -q '^#define HK_OUT_OF_LINE' long.c &&
        [ "$(wc -c <long.c)" -le 100000 ] && (ulimit -S -t 30 && "$hillock" build long.c) && [ -s long.so ]
}

run a_formula_makes_a_file
run a_model_trains
run a_saved_net_needs_no_model
run a_normalization_is_made_of_a_formula
run a_file_is_never_replaced
run out_is_a_folder_or_a_file
run an_error_has_a_caret
run known_names_get_a_note
run refuses 2 'unknown kind "loss"; known: activation, normalization, initializer, model' new loss one
run refuses 2 '"Mine" is no plugin name' new activation Mine
run refuses 2 'no plugin name' new activation ../mine
run refuses 2 'only an activation or a normalization is made from a formula' new initializer one --formula x
run refuses 2 'learns something' new normalization one --formula 'tanh(x)'
run refuses 2 'is for activations' new normalization one --formula 'g*tanh(x)' --surrogate x
run refuses 2 'go with --formula' new activation one --param a=1
run refuses 2 'expected NAME=DEFAULT' new activation one --formula 'x*a' --param a
run refuses 2 'expected NAME=DEFAULT' new activation one --formula 'x*a' --param a=1:2:3
run refuses 2 'expected NAME=DEFAULT' new activation one --formula 'x*a' --param a=nan
run refuses 2 '"tanh" has a meaning' new activation one --formula x --param tanh=1
run refuses 2 '"a" twice' new activation one --formula 'a*x' --param a=1 --param a=2
run refuses 2 'does not occur' new activation one --formula x --param a=1
run refuses 2 '--formula is empty' new activation one --formula ''
run build_makes_objects_here
run a_model_that_hangs_is_named
run build_shows_its_command
run build_passes_the_compilers_words_on
run build_takes_no_shell_words
run build_uses_cc
run build_limits_the_compiler
run deep_formulas_compile
run long_formulas_compile
run refuses 4 'none.c: No such file' build none.c
run refuses 2 'expected the name of a C file' build first.so
run refuses 2 'expected LOW:HIGH' curve relu --plot a.svg --range 3:1
run refuses 2 'or --plot FILE.svg' curve relu
run a_plot_is_whole_or_not_there
run a_leftover_stops_no_plot
result
