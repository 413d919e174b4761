#!/bin/bash
# Dead units over the epochs of a deep, narrow net, by activation: lgb_relu against relu, leaky_relu and
# prelu, five seeds. Prints a line for each epoch: mean share of dead and of gradient-dead units over all
# layers and seeds, with the half width of its 95 % interval, and the validation accuracy.
# usage: thresholds.sh HILLOCK [DATA [EPOCHS]]
hillock=$1 data=${2:-glyphs} epochs=${3:-5}
export LC_ALL=C
for act in relu lgb_relu leaky_relu prelu; do
    for seed in 1 2 3 4 5; do
        "$hillock" train mlp:width=8,depth=15 --data "$data" --act "$act" --epochs "$epochs" \
            --seed "$seed" --val 0.1 --json 2>/dev/null |
            python3 -c '
import json, sys
for e in json.load(sys.stdin)["history"]:
    units = sum(l["units"] for l in e["layers"])
    share = lambda key: sum(l["units"] * (l[key] or 0) for l in e["layers"]) / units
    print(sys.argv[1], e["epoch"], share("dead"), share("gradient_dead"), e["validation_accuracy"])' "$act"
    done
done | sort -s -k1,1 -k2,2n | awk '
    function tell(  i, m, v, line) {
        line = sprintf("%-11s %5d", act, epoch)
        for (i = 1; i <= 3; i++) {
            m = s[i] / n
            v = n > 1 ? (q[i] - n * m * m) / (n - 1) : 0
            line = line sprintf("   %5.1f +- %4.1f %%", 100 * m, 277.6 * sqrt((v > 0 ? v : 0) / n))
            s[i] = q[i] = 0
        }
        print line
        n = 0
    }
    BEGIN { print "activation  epoch   dead              gradient-dead     accuracy" }
    $1 " " $2 != key { if (n) tell(); key = $1 " " $2; act = $1; epoch = $2 }
    { n++; for (i = 1; i <= 3; i++) { s[i] += $(i + 2); q[i] += $(i + 2) ^ 2 } }
    END { tell() }'
