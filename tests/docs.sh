#!/bin/bash
# Does what docs/plugins.md, models.md, training.md, dead-neurons.md, lgb.md, quantising.md, comparing.md,
# clusters.md, export.md, json.md and database.md say: writes their C files and runs their commands in order.
# usage: docs.sh BUILD SOURCE
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
build=$1 source=$2
export PATH="$build/bin:$PATH"
cmake --install "$build" --prefix "$work/prefix" >install.log || cat install.log
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name hillock.pc)")

# block LANGUAGE [FILE]: the fenced blocks with this first line.
block()
{
    awk -v fence="\`\`\`$*" '/^```/ { inside = !inside && $0 == fence; next } inside' "$page"
}

example_is_written()
{
    block c "$1" >"$1" && [ -s "$1" ]
}

command_works()
{
    bash -c "$1" >output 2>&1
    local status=$?
    cat output
    case $1 in
    *' check '*) grep -q '^good: ' output ;;
    *' curve ./bell.so -1 0 1') grep -q $'^0\t0\t1$' output && grep -q '^1.0.6065' output ;;
    *' --plot '*) grep -q '</svg>' bell.svg ;;
    *' curve ./bend.so'*) grep -q $'^-1\t-0.78693' output ;;
    *' --part '*) grep -q '^part [12] of 2: [45] runs, 0 failed' output ;;
    *' merge '*) grep -q ' taken, ' output ;;
    *' compare '*) grep -q '^rank .*against the baseline' output ;;
    *' judge '*' --json') grep -q '"verdict"' output && status=0 ;;
    *' judge '*) grep -q '^\(drop\|more\): candidate' output && status=0 ;;
    sqlite3*) grep -q '^relu|1|0\.\|^1212763212$' output ;;
    *' report '*' --json') grep -q '^{.*}$' output ;;
    *' report '*) grep -q 'wrote' output ;;
    *' --treat '*) grep -q 'treat' output && grep -q 'mended' output ;;
    *' doctor '*' --quantise '*) grep -q 'units have one value' output ;;
    *' doctor '*) grep -q 'do not learn\|"ill"' output ;;
    *' --find-rate') grep -q '^Suggested rate' output ;;
    *' bench '*) grep -q '^model  *8 ' output ;;
    *' train '*) grep -q 'accuracy' output ;;
    *' --forecast'*) grep -Eq 'Will not learn well|Can (just )?learn' output ;;
    *' inspect small'*) grep -q 'parameters' output ;;
    *' evaluate '*) grep -q 'accuracy' output ;;
    *' predict '*) grep -q '^[01]\.[0-9]*' output ;;
    *' inspect ./strand'*) grep -q ' parameters ' output ;;
    *' inspect '*) grep -q 'height' output && grep -q 'forward cycles' output ;;
    *' build '*) ! grep -q . output ;; # not even a warning
    *' export '*) [ -s net.c ] && [ -s net.onnx ] ;;
    'cc '*) ! grep -q . output ;;
    'yes 0 '*) awk 'END { exit NR != 1 || NF != 10 }' output ;;
    ./lgb_rule) grep -q '^as written: theta -[12][0-9]\.' output && grep -q '^corrected: theta 0\.' output ;;
    ./train_small) grep -q '^test accuracy 9' output ;;
    ./predict_small) [ "$(sed -n 's/^image .: \(.\), is \1$/\1/p' output | wc -l)" -ge 2 ] ;;
    ./autoencoder) grep -q '^epoch 3: mean squared error 0.[0-4]' output ;;
    ./wrong) grep -q 'did you mean "mish"?' output && grep '^add: ' output | grep -qxFf - "$page" ;;
    esac && [ $status = 0 ]
}

links_lead_somewhere()
{
    local link
    for link in $(grep -o '](\.\./[^)]*)' "$source"/docs/*.md | sed 's/.*](\(.*\))/\1/'); do
        [ -e "$source/docs/$link" ] || { echo "$link is not there" && return 1; }
    done
}

for page in plugins models training dead-neurons lgb quantising comparing clusters export json database; do
    page=$source/docs/$page.md
    for name in $(sed -n 's/^```c \(.*\.[ch]\)$/\1/p' "$page"); do
        run example_is_written "$name"
    done
    while IFS= read -r line; do
        run command_works "$line"
    done < <(block sh)
done

# Keys of the two examples that docs/json.md does not name; columns that docs/database.md does not.
every_name_is_documented()
{
    local page file name
    hillock report --db small.db --name first --json >comparison.json
    hillock judge 'x*sigmoid(x)' --ledger search.db --seeds 1 --json >judged.json
    for file in comparison.json judged.json; do
        for name in $(sqlite3 :memory: "SELECT DISTINCT key FROM json_tree(readfile('$file'))
            WHERE typeof(key) = 'text' AND path NOT LIKE '%.verdicts%'"); do
            grep -q "\`$name\`" "$source/docs/json.md" || { echo "$file: $name" && return 1; }
        done
    done
    for name in $(sqlite3 search.db "SELECT c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table'"); do
        grep -q "\`$name\`" "$source/docs/json.md" "$source/docs/database.md" ||
            { echo "search.db: $name" && return 1; }
    done
}

run every_name_is_documented
run links_lead_somewhere
result
