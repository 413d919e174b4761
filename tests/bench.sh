#!/bin/bash
# hillock bench from outside: forms, exit statuses, sentences; sizes so small that every time means
# nothing, and none is looked at.
# usage: bench.sh HILLOCK
hillock=$1
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
quick="--seconds 0.01 --threads 2"

# bench ARGUMENT...: standard output in the file out.
bench()
{
    # shellcheck disable=SC2086
    "$hillock" bench "$@" $quick >out 2>err || { cat err; return 1; }
}

# lines PATTERN COUNT: as many lines of the file out match.
lines()
{
    local n
    n=$(grep -cE -e "$1" out)
    [ "$n" = "$2" ] || { echo "$n lines, not $2, match: $1"; cat out; return 1; }
}

# refuses STATUS TEXT ARGUMENT...: that status, that sentence, no result.
refuses()
{
    local expected=$1 text=$2 status
    shift 2
    "$hillock" bench "$@" >out 2>err
    status=$?
    [ $status = "$expected" ] || { echo "status $status, not $expected"; cat err; return 1; }
    grep '^hillock: ' err | grep -qF -e "$text" || { echo "not said: $text"; cat err; return 1; }
}

# The instruction set that every processor of this kind has.
lowest=$(HILLOCK_ISA=avx3 "$hillock" bench limits 2>&1 | sed -n 's/.*known: \([a-z0-9]*\).*/\1/p')
number='[0-9]+\.[0-9]+'
time=" +$number +$number\.\.$number +$number"

limits()
{
    bench limits --size 5000 &&
        lines "^multiply-adds, .* [12] threads?$time GFLOP/s$" "$(
            case $("$hillock" bench limits --size 5000 $quick |
                sed -n 's/.*in use \([a-z0-9]*\);.*/\1/p') in
            "$lowest") echo 2 ;; avx2) echo 4 ;; *) echo 6 ;; esac)" &&
        lines '\(in use\)' 2 && lines "^(copy|in place).*$time GB/s$" 6 &&
        { [ "$(getconf LEVEL1_DCACHE_SIZE)" -eq 0 ] || lines '^caches: L1 [0-9]+ KiB' 1; } &&
        HILLOCK_ISA=$lowest bench limits --size 5000 && lines "$lowest \\(in use\\)" 2 &&
        lines avx 0
}

activations()
{
    bench act relu,leaky_relu:slope=0.1 prelu --size 1000 &&
        lines "^relu +forward$time GB/s  [0-9]+ % of copy$" 1 &&
        lines "^leaky_relu:slope=0.1 +backward$time GB/s  [0-9]+ % of copy$" 1 &&
        lines '^prelu ' 2
}

every_activation()
{
    bench act --all --size 1000 && lines '^relu ' 2 && lines '^mish ' 2 && lines '^softmax ' 0
}

normalizations()
{
    bench norm batch_norm layer_norm --batch 2 && lines "^(batch|layer)_norm 2x.*$time GB/s" 8 &&
        bench norm batch_norm --act relu --batch 2 && lines '^batch_norm \+ relu 2x32x32x16' 2
}

convolutions()
{
    bench conv 2x8x8x4:3x3x8/2 2x6x6x4:3x3x4,valid,groups=4 4x16:8 &&
        lines "^2x8x8x4:3x3x8/2 +(forward|bwd-.*)$time GFLOP/s  [0-9]+ % of FMA peak$" 3 &&
        lines '^2x6x6x4' 3 && lines '^4x16:8 ' 3
}

training()
{
    bench train mlp:width=8 --batch 2 &&
        lines "^mlp:width=8, batch 2 +train$time images/s  [0-9]+ % of FMA peak$" 1 &&
        tail -n 1 out | grep -qE '^mlp:width=8 [0-9]+\.[0-9]$'
}

# A stranger's model, in a file, is trained by its own recipe.
own_recipe()
{
    cat >own.c <<'END' && "$hillock" build own.c &&
#include <hillock/model.h>
HK_RECIPES({.data = "glyphs", .most = 100, .batch = 4}, {.data = "glyphs", .optimizer = "rmsprop:lr=0.01", .batch = 2});
static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    (void)p;
    return hk_linear(hk_act(hk_linear(x, 2)), classes);
}
static const hk_model model = {
    .build = build, .height = 4, .width = 4, .channels = 1, .parameters = 64, .recipes = recipes};
HK_MODEL(own, model, .summary = "small", .source = "unpublished");
END
        bench train ./own.so && lines '^own: rmsprop:lr=0.01, batch 2, ' 1 && lines '^./own.so, batch 2 ' 1 &&
        bench train ./own.so --batch 3 && lines '^own: rmsprop:lr=0.01, batch 3, ' 1
}

profile()
{
    bench train lenet5 --batch 2 --act tanh --profile &&
        lines "^conv[12] +conv .* +$number +$number% +$number +[0-9]+% +$number +$number" 2 &&
        lines "^steps move $number MB, $number GB/s, [0-9]+ % of a copy" 1 &&
        lines '^fc[123] +linear' 3 && lines '^(optimizer|the rest|step) ' 3 &&
        tail -n 1 out | grep -qE '^lenet5 [0-9]+\.[0-9]$'
}

inference()
{
    bench infer lenet5 && lines "^lenet5, batch 1 +infer$time images/s" 1 &&
        bench infer lenet5 --batch 70 && lines '^lenet5, batch 70 ' 1
}

json()
{
    for kind in limits 'train mlp' 'train mlp --profile' 'infer mlp' 'act relu' 'norm batch_norm' \
        'conv 2x4x4x2:3x3x2'; do
        # shellcheck disable=SC2086
        bench $kind --size 1000 --batch 2 --json || return 1
        python3 -c '
import json
result = json.load(open("out"))
assert result["isa"] in ("baseline", "avx2", "avx512", "neon") and result["threads"] == 2, result
assert result["rows"]
for row in result["rows"]:
    assert row["ms"] > 0 and row["unit"] and row["repetitions"] >= 5, row
    assert row["ms_quartiles"][0] <= row["ms"] <= row["ms_quartiles"][1], row
' || return 1
    done
}

sentences()
{
    refuses 2 'known: limits, train, infer, act, norm, conv' nonsense &&
        refuses 2 'expected' train &&
        refuses 2 'expected nothing more' limits relu &&
        refuses 2 'known: convmixer, convnext, densenet' train lenet6 &&
        refuses 2 'known: convmixer, convnext, densenet' infer lenet6 &&
        refuses 2 'expected SPEC..., or --all' act &&
        refuses 2 'expected SPEC..., or --all' act relu --all &&
        refuses 2 'nonsense' train mlp --act nonsense &&
        refuses 2 'nonsense' act nonsense --size 64 &&
        refuses 2 'nonsense' norm nonsense &&
        refuses 2 'such as 128x32x32x16:3x3x16/1' conv resnet21 &&
        refuses 2 'such as' conv 2x8x8x3:3x3x4,groups=2 &&
        refuses 2 'such as' conv 2x8x8x0:3x3x4 &&
        refuses 2 'such as' conv 2x8x8x4:3x3x4/ &&
        refuses 2 'does not fit' conv 2x2x2x4:3x3x4,valid &&
        refuses 2 'expected a number above 0' limits --seconds 0 &&
        refuses 2 'expected a whole number' act relu --size 0
}

engines()
{
    HILLOCK_ISA=avx3 refuses 2 "no instruction set \"avx3\"; known: $lowest" limits &&
        HILLOCK_ENGINE=nonsense refuses 2 'no engine "nonsense"; known: native' train mlp &&
        HILLOCK_ENGINE=native bench train mlp:width=4 --batch 2
}

for case in limits activations every_activation normalizations convolutions training own_recipe profile \
    inference sentences engines; do
    run $case
done
if command -v python3 >/dev/null; then
    run json
else
    echo '  skipped: --json (no python3 to read it)'
    skipped=$((skipped + 1))
fi
result
