# tests/contract.sh BUILD SOURCE - the contract with plugins, over time (docs/contract.md). Files that were
# built when 1.0 was frozen, by gcc and by clang, lie in contract/1.0: they load, pass, and train to the same
# bits for ever. Headers of a later 1.1, which are made here with a field more, meet 1.0 in both directions.
# Changes that would break the contract are tried, and test_abi must see each.
build=$1 source=$2
. "$source/tests/shell.sh"
tool=$build/bin/hillock kept=$source/tests/contract/1.0 include=$source/framework/include
cc=${CC:-cc}
plugin=($cc -std=c11 -O2 -fPIC -shared -Wall -Wextra -Wpedantic -Werror)
names=(halving centred even bridge)
# Of the baseline, which any x86-64 machine computes alike.
digest=ce5b8feb4340bdc5

# trains_to_the_digest FOLDER: with the four plugins there.
trains_to_the_digest()
{
    HILLOCK_ISA=baseline "$tool" train "$1/bridge.so" --act "$1/halving.so" --norm "$1/centred.so" \
        --init "$1/even.so" --data glyphs:train=200,test=100 --epochs 2 --seed 1 --no-probes --json >train.json &&
        grep -o '"digest": *"[0-9a-f]*' train.json && grep -q "\"digest\": *\"$digest" train.json
}

says_its_version()
{
    "$tool" inspect "$1" >inspect.txt && cat inspect.txt && grep -q '^contract *1\.0, of hillock 1\.' inspect.txt
}

# build_all FOLDER OPTION...: the four plugins, as the sources have them.
build_all()
{
    local folder=$1 name
    mkdir -p "$folder"
    for name in "${names[@]}"; do
        "${plugin[@]}" "${@:2}" "$source/tests/contract/$name.c" -o "$folder/$name.so" -lm || return 1
    done
}

if [ "$(uname -m)" = x86_64 ]; then
    for compiler in gcc clang; do
        for name in "${names[@]}"; do
            run says_its_version "$kept/$compiler/$name.so"
        done
        run "$tool" check --quick "$kept/$compiler"/*.so
        run trains_to_the_digest "$kept/$compiler"
    done
    run build_all today "-I$include"
    run trains_to_the_digest "$PWD/today"
else
    echo "skipped: the files that are kept are for x86-64"
    skipped=$((skipped + 1))
fi

# ---- 1.0 and 1.1 -----------------------------------------------------------------------------------

# changed FILE SED-EXPRESSION: in the copy of the headers; false where nothing changes.
changed()
{
    local before
    before=$(md5sum <"$1")
    sed -i -E "$2" "$1" && [ "$before" != "$(md5sum <"$1")" ]
}

headers_of_1_1()
{
    cp -r "$include" later &&
        changed later/hillock/plugin.h 's/^#define HK_ABI_MINOR 0/#define HK_ABI_MINOR 1/' &&
        changed later/hillock/plugin.h \
            's/^#define HK_ABI_NEEDS .*/#define HK_ABI_NEEDS (HK_ABI_USED ? "hk_plugin.credits" : "")/' &&
        changed later/hillock/plugin.h \
            's/^\} hk_plugin;/#if HK_ABI_USED >= 1\n    const char *credits;\n#endif\n} hk_plugin;/' &&
        changed later/hillock/plugin.h \
            's/^\} hk_activation;/#if HK_ABI_USED >= 1\n    double temperature;\n#endif\n} hk_activation;/'
}
run headers_of_1_1

# A plugin of 1.1 that uses nothing new is one of 1.0, to the byte of its tables.
run build_all plain -Ilater
[ "$(uname -m)" != x86_64 ] || run trains_to_the_digest "$PWD/plain"
run says_its_version plain/halving.so

# One that does is refused by a host of 1.0, which names what is new.
uses_what_is_new()
{
    sed 's/\.source = "Hillock"/.source = "Hillock", .credits = "us"/' "$source/tests/contract/halving.c" >new.c
    "${plugin[@]}" -Ilater -DHK_ABI_USED=1 new.c -o new.so -lm
}
run uses_what_is_new
run refuses 3 'needs plugin ABI 1.1, for hk_plugin.credits, this hillock has ABI 1.0' "$tool" inspect ./new.so

# The registry of a 1.1, with the library behind it: what files of 1.0 do not have is 0, the rest is there.
host_of_1_1()
{
    $cc -std=c11 -O1 -D_GNU_SOURCE -DHK_ABI_USED=1 -Ilater -I"$source/framework" "$source/tests/contract/host.c" \
        "$source"/framework/plugin/*.c "$build/libhillock.a" -o host -fopenmp -lm -ldl -lz -ljansson -lmd
}
sees()
{
    HILLOCK_PLUGIN_PATH=$PWD ./host "$1" >seen && cat seen && shift &&
        for line in "$@"; do grep -qxF "$line" seen || return 1; done
}
run host_of_1_1
run sees ./plain/halving.so 'halving of 1.0, credits none, temperature 0' 'curve -0.5 0 1.75'
[ "$(uname -m)" != x86_64 ] ||
    run sees "$kept/clang/halving.so" 'halving of 1.0, credits none, temperature 0' 'curve -0.5 0 1.75'
run sees ./new.so 'halving of 1.1, credits us, temperature 0' 'curve -0.5 0 1.75'

# ---- What would break it ---------------------------------------------------------------------------

# broken NAME FILE SED-EXPRESSION CASE: test_abi, built from headers so changed, fails in that case.
broken()
{
    rm -rf headers && cp -r "$include" headers && changed "headers/hillock/$2" "$3" &&
        $cc -std=c11 -w -Iheaders -I"$source/tests" "$source/tests/test_abi.c" -o abi -lm || return 1
    ./abi >abi.log
    cat abi.log
    grep -qx "FAIL $4" abi.log
}
run broken "a field moved" plugin.h 's/int64_t rows, channels;/int64_t channels, rows;/' context_layout
run broken "a type widened" plugin.h 's/uint32_t n_coef;/uint64_t n_coef;/' normalization_layout
run broken "a value reused" plugin.h 's/HK_SURROGATE = 32/HK_SURROGATE = 16/' values
run broken "a row grown" plugin.h 's/^\} hk_slot;/    double rate;\n} hk_slot;/' slot_layout
run broken "options by value grown" layer.h 's/^\} hk_act_options;/    double scale;\n} hk_act_options;/' layer_layout

# ---- The library -----------------------------------------------------------------------------------

# Every function of 1.0 is there; newer ones may be.
keeps_its_symbols()
{
    nm -D --defined-only --with-symbol-versions "$build/lib/libhillock.so" | awk '$2 != "A" { print $3 }' | sort >symbols
    comm -23 "$source/tests/contract/1.0/symbols" symbols | tee missing
    [ ! -s missing ]
}
[ ! -e "$build/lib/libhillock.so" ] || run keeps_its_symbols
if command -v abidiff >/dev/null && [ -n "${HILLOCK_LIBRARY_1_0:-}" ] && [ -e "$build/lib/libhillock.so" ]; then
    run abidiff --no-added-syms "$HILLOCK_LIBRARY_1_0" "$build/lib/libhillock.so"
fi
result
