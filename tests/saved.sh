#!/bin/bash
# A saved net goes where its training data are not: scaling, classes and columns are its own.
# usage: saved.sh TOOL
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
tool=$1

# rows N SEED: length;width;colour, three colours of which each has its own means.
rows()
{
    awk -v n="$1" -v seed="$2" 'BEGIN {
        srand(seed)
        split("red; dark,green,\"sky\"", name, ",")
        for (i = 0; i < n; i++) {
            k = i % 3
            printf "%d;%.3f;%.3f;", i, 100 + 8 * k + 4 * rand(), 50 + 6 * (k == 1) + 3 * rand()
            gsub(/"/, "\"\"", name[k + 1])
            print k == 1 ? name[2] : "\"" name[k + 1] "\""
            gsub(/""/, "\"", name[k + 1])
        }
    }'
}

says()
{
    local expected=$1 status=0
    shift
    "$@" >output 2>&1 || status=$?
    cat output
    grep -qF -- "$expected" output
    return $((status > 128 || $? != 0))
}

accuracy()
{
    sed -n 's/.* test images: .*accuracy \([0-9.]*\) %.*/\1/p' "$1"
}

{ echo '"id";"length, cm";width;colour'; rows 240 1; } >train.csv
{ echo '"id";"length, cm";width;colour'; rows 60 2; } >other.csv
"$tool" train mlp:width=16,depth=1 --data csv:train.csv,drop=id --epochs 30 --batch 16 --no-probes \
    --out net.safetensors >train.log 2>&1 || cat train.log
mkdir away && mv train.csv train.log away && cp net.safetensors away

it_learned()
{
    awk -v found="$(accuracy away/train.log)" 'BEGIN { exit !(found > 90) }'
}

# Only some rows, and only of one class: scaling from them would be another.
other_data_are_scaled_as_the_training_data_were()
{
    "$tool" evaluate net.safetensors --data csv:other.csv,drop=id,test=all >all.log 2>&1
    cat all.log
    awk -v found="$(accuracy all.log)" 'BEGIN { exit !(found > 90) }' || return 1
    { head -n 1 other.csv; grep green other.csv; } >green.csv
    "$tool" evaluate net.safetensors --data csv:green.csv,drop=id,test=all >green.log 2>&1
    cat green.log
    awk -v found="$(accuracy green.log)" 'BEGIN { exit !(found > 90) }'
}

# Columns in another order, one more, none of the labels; then from standard input.
rows_without_labels_are_predicted()
{
    awk -F';' 'NR == 1 { print "width;note;\"length, cm\""; next } { print $3 ";x;" $2 }' other.csv >new.csv
    "$tool" predict net.safetensors new.csv >new.txt && [ "$(wc -l <new.txt)" = 61 ] || return 1
    head -n 4 new.txt
    "$tool" predict net.safetensors - <new.csv | cmp - new.txt || return 1
    awk -F'\t' 'NR > 1 { good += $2 == ((NR - 2) % 3 == 0 ? "red; dark" : (NR - 2) % 3 == 1 ? "green" : "\"sky\"") }
                END { exit !(good > 54) }' new.txt || return 1
    "$tool" predict net.safetensors new.csv --csv | sed -n 2p | grep -q '^line 2,red; dark,'
}

absent_column()
{
    cut -d';' -f1,3,4 other.csv >short.csv
    says 'no column "length, cm", which the net learned from' "$tool" predict net.safetensors short.csv
}

class_by_another_name()
{
    sed 's/green/verdant/' other.csv >renamed.csv
    says 'class "verdant" is none of the 3 that the net knows' \
        "$tool" evaluate net.safetensors --data csv:renamed.csv,drop=id,test=all
}

no_training_data_at_hand()
{
    says 'cannot open train.csv' "$tool" evaluate net.safetensors &&
        (cd away && "$tool" evaluate net.safetensors >again.log 2>&1 &&
            [ "$(accuracy again.log)" = "$(accuracy train.log)" ])
}

it_says_what_it_is()
{
    "$tool" inspect net.safetensors >inspect.txt && cat inspect.txt &&
        grep -q '^classes *3: "sky", green, red; dark$' inspect.txt &&
        grep -q 'length, cm: (x - ' inspect.txt && grep -q 'label: colour' inspect.txt
}

another_number_of_classes()
{
    grep -v green away/train.csv >two.csv
    "$tool" train mlp:width=16,depth=1 --data csv:two.csv,drop=id --epochs 1 --no-probes \
        --from net.safetensors >from.log 2>&1
    local status=$?
    cat from.log
    [ $status = 0 ] && grep -q 'starts anew: the file has \[16, 3\], the net \[16, 2\]' from.log
}

# As PyTorch's safetensors writes them: counters in 64 bits, halves, weights as [out, in].
another_programs_file_is_listed_and_taken_where_it_fits()
{
    local header='{"__metadata__":{"format":"pt"},"bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"fc1.bias":{"dtype":"F16","shape":[16],"data_offsets":[8,40]},"fc2.weight":{"dtype":"BF16","shape":[3,16],"data_offsets":[40,136]}}'
    { printf "\\x$(printf %x ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header" && head -c 136 /dev/zero; } >pt.safetensors
    "$tool" inspect pt.safetensors >listed.txt && cat listed.txt || return 1
    grep -q '^metadata *format: pt$' listed.txt && grep -q 'bn.num_batches_tracked *I64 *one number *8$' listed.txt &&
        grep -q 'fc2.weight *BF16 *3 x 16 *96$' listed.txt && grep -q '^3 tensors in 136 bytes' listed.txt || return 1
    "$tool" inspect pt.safetensors --json | tr -d ' \n' |
        grep -qF '"tensor":"fc1.bias","type":"F16","shape":[16],"bytes":32' || return 1
    says "fc2.weight is turned round, as the file's other weights are: PyTorch has the output first" \
        "$tool" train mlp:width=16,depth=1 --data csv:away/train.csv,drop=id --epochs 1 --no-probes \
        --from pt.safetensors && grep -q 'bn.num_batches_tracked is left out: the net has none' output &&
        grep -q '2 tensors fit and were taken' output
}

# Each format is one file, whole; the numbers of --npz are those of --torch.
it_is_exported()
{
    "$tool" export net.safetensors --onnx net.onnx --c net.c --torch weights.safetensors \
        --npz weights.npz >loads.py || return 1
    cat loads.py
    grep -qF 'self.fc1 = torch.nn.Linear(2, 16, bias=True)' loads.py &&
        grep -qF 'load_file("weights.safetensors")' loads.py && [ -s net.onnx ] && [ -s weights.npz ] || return 1
    "$tool" inspect weights.safetensors | grep -q 'fc2.weight *F32 *3 x 16 ' &&
        "${CC:-cc}" -std=c99 -Wall -Wextra -Werror -Dnet_MAIN net.c -o net -lm || return 1
    tail -n +2 other.csv | cut -d';' -f2,3 | tr ';' ' ' | ./net >found.txt
    head -n 2 found.txt
    awk 'NF != 3 || $1 != $1 + 0 { bad = 1 } END { exit bad || NR != 60 }' found.txt
}

a_refused_export_leaves_nothing()
{
    "$tool" train mlp:width=8,depth=1 --act swiglu --data csv:away/train.csv,drop=id --epochs 1 --no-probes \
        --out gated.safetensors >/dev/null &&
        says 'fc1: the activation "swiglu" has no formula' "$tool" export gated.safetensors --c gated.c &&
        [ ! -e gated.c ] && "$tool" export gated.safetensors --npz gated.npz &&
        says 'expected --onnx, --c, --torch or --npz' "$tool" export net.safetensors &&
        says 'no/where.c' "$tool" export net.safetensors --c no/where.c && [ ! -e no ] &&
        says 'neither a graph nor' "$tool" export weights.safetensors --c again.c
}

two_sources()
{
    says 'two sources of samples' "$tool" predict net.safetensors other.csv --data glyphs
}

# y = 100 + 7 a - 5 b, learned, and answered in its unit for rows without y.
numbers_are_learned()
{
    awk 'BEGIN { print "a,b,y"; for (i = 0; i < 200; i++) { a = i % 20; b = int(i / 20); print a "," b "," 100.5 + 7 * a - 5 * b } }' >numbers.csv
    "$tool" train mlp:width=16,depth=1 --data csv:numbers.csv,target=y --epochs 40 --batch 16 --no-probes \
        --out numbers.safetensors >numbers.log 2>&1
    cat numbers.log
    grep -q 'target: y (55.5 to 233.5)' numbers.log && grep -q 'R2 0.9[5-9]' numbers.log || return 1
    printf 'b,a\n3,10\n' >ask.csv
    "$tool" predict numbers.safetensors ask.csv --csv >answer.csv && cat answer.csv &&
        awk -F, 'NR == 2 { exit !($2 > 145 && $2 < 166) }' answer.csv || return 1
    "$tool" evaluate numbers.safetensors --json | grep -q '"test_r2": 0.9' &&
        "$tool" inspect numbers.safetensors | grep -q '^target *y, mean ' &&
        says 'the net learned numbers' "$tool" evaluate numbers.safetensors --data csv:numbers.csv,label=a
}

regression_is_compared()
{
    "$tool" compare --act relu,identity --model mlp:width=8,depth=1 --data csv:numbers.csv,target=y --seeds 1 \
        --epochs 2 --no-probes --db regression.db >compared 2>&1
    cat compared
    grep -q 'test R2 over 1 seed' compared && grep -q 'that of always answering the mean' compared
}

a_dead_net_is_said()
{
    "$tool" train mlp:width=16,depth=1 --data csv:numbers.csv,label=a,drop=y --act relu --optimizer sgd:lr=1e-30 \
        --init zeros --epochs 1 --no-probes --json >dead.json 2>dead.log
    cat dead.log
    grep -q 'the same answer for all samples' dead.log && grep '"constant": "' dead.json
}

run it_learned
run other_data_are_scaled_as_the_training_data_were
run rows_without_labels_are_predicted
run absent_column
run class_by_another_name
run no_training_data_at_hand
run it_says_what_it_is
run another_number_of_classes
run another_programs_file_is_listed_and_taken_where_it_fits
run it_is_exported
run a_refused_export_leaves_nothing
run two_sources
run numbers_are_learned
run regression_is_compared
run a_dead_net_is_said
result
