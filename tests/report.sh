#!/bin/bash
# hillock report from outside: each format holds the comparison, hostile names stay text, and what is
# no file of results is refused with a sentence.
# usage: report.sh HILLOCK SOURCE-DIRECTORY
hillock=$1 source=$2
. "$source/tests/shell.sh"
bad='<img src=x onerror=alert(1)>&"|`=1+1'
few=(--model mlp:width=8 --data glyphs:train=100,test=50 --seeds 2 --epochs 1 --db results.db)

# Two sweeps: a plain one, and one of a hostile name with a plugin of a hostile name that crashes.
prepare()
{
    "${CC:-cc}" -O2 -w -fPIC -shared -fvisibility=hidden -I"$source/framework/include" \
        "$source/tests/zoo/constructor_crash.c" -o "$bad.so" -lm &&
        "$hillock" compare --act relu,tanh --name plain "${few[@]}" >out || return 1
    "$hillock" compare --act "relu,./$bad.so" --name "$bad" "${few[@]}" >out
    [ $? = 5 ]
}

report()
{
    "$hillock" report --db results.db "$@" >out 2>err
}

# ---- Formats

the_page_is_whole()
{
    report --name plain --out page.html && cat err && grep -q '^hillock: note: wrote page.html' err &&
        grep -q 'relu' out &&
        [ "$(grep -c '<html' page.html)" = 1 ] && [ "$(tail -n 1 page.html)" = '</html>' ] &&
        grep -q '>tanh<' page.html && grep -qF 'hillock compare --act relu,tanh' page.html &&
        ! grep -q '<script\|<link\|http://[^w]\|https://' page.html
}

markdown_is_a_table()
{
    report --name plain --out page.md && grep -q '^| 1 | [a-z]* | \(relu\|tanh\) | ' page.md
}

csv_has_every_run()
{
    report --name plain --out page.csv &&
        [ "$(sqlite3 -cmd '.import --csv page.csv runs' :memory: \
            'SELECT count(*), sum(state = "ok"), count(DISTINCT activation) FROM runs')" = '4|4|2' ]
}

json_is_json()
{
    report --name plain --out page.json && "$hillock" report --db results.db --name plain --json >same.json &&
        cmp page.json same.json &&
        [ "$(sqlite3 :memory: "SELECT json_array_length(readfile('page.json'), '\$.runs'),
            json_extract(readfile('page.json'), '\$.name')")" = '4|plain' ]
}

reading_changes_nothing()
{
    local before
    before=$(sha256sum results.db)
    report && [ -s report.html ] && [ "$(sha256sum results.db)" = "$before" ]
}

sweeps_are_listed()
{
    report --list && cat out && grep -qF 'plain: 2 rows, 2 seeds each, 4 of 4 runs done' out &&
        grep -qF '  hillock compare --act relu,tanh' out && grep -qF ', 2 failed' out &&
        report --list --json && [ "$(sqlite3 :memory: "SELECT json_array_length(readfile('out'), '\$.sweeps'),
            json_extract(readfile('out'), '\$.sweeps[1].name')")" = '2|plain' ]
}

a_figure_stands_alone()
{
    report --name plain --figure leaderboard --out f.svg && grep -q '^<svg xmlns' f.svg && grep -q '>tanh<' f.svg &&
        report --name plain --out table.tex && grep -q '^tanh & ' table.tex &&
        grep -qF 'tanh & \texttt{tanh(x)}' table.tex || return 1
    echo leak:libfontconfig >kept # fonts that were read, until the process ends
    if LSAN_OPTIONS=suppressions=kept:print_suppressions=0 report --name plain --figure loss --out f.pdf; then
        [ "$(head -c 5 f.pdf)" = %PDF- ]
    else
        grep -q 'built without cairo' err
    fi
}

# Rows of one name stand in one line, in one colour; between the sweeps nothing is claimed.
two_sweeps_stand_side_by_side()
{
    report --name plain --with "$bad" --out beside.html && cat out &&
        grep -q '^plain: 2 seeds are too few' out && grep -q '^relu .* +- .* +- .* +0.00$' out && grep -q '^tanh .*  -  ' out &&
        [ "$(grep -c '<h2>Side by side</h2>' beside.html)" = 1 ] && ! grep -q '<img' beside.html &&
        [ "$(grep -o 'id="[^"]*"' beside.html | sort | uniq -d | wc -l)" = 0 ] &&
        [ "$(grep -c '<section id="panel[12]">' beside.html)" = 2 ] && grep -q 'Every run: plain' beside.html &&
        report --name plain --with "$bad" --out beside.md && grep -q '^| relu | .* ± .* | +0.00 |$' beside.md &&
        report --name plain --with "$bad" --out beside.tex && grep -q '^relu & .* & .* & \$+0.00\$' beside.tex &&
        report --name plain --with "$bad" --json && [ "$(sqlite3 :memory: "SELECT json_extract(readfile('out'), '\$.name'),
            json_extract(readfile('out'), '\$.with.report.name'), json_extract(readfile('out'), '\$.with.tables[0].rows[0].difference')")" = \
            "plain|$bad|0.0" ]
}

# ---- Names

names_are_text()
{
    report --out bad.html && report --out bad.md && report --out bad.csv && report --out bad.json || return 1
    grep -qF '&#60;img src=x onerror=alert(1)&#62;&#38;&#34;|`=1+1.so' bad.html &&
        grep -qF '| .\/\<img src=x onerror=alert(1)\>\&"\|\`=1+1.so | 1 | signal SIGILL |' bad.md &&
        ! grep -q '<img' bad.html && ! grep -q '[^\]<img' bad.md &&
        [ "$(sqlite3 :memory: "SELECT json_extract(readfile('bad.json'), '\$.name')")" = "$bad" ] &&
        [ "$(sqlite3 -cmd '.import --csv bad.csv runs' :memory: \
            "SELECT count(*) FROM runs WHERE activation LIKE '%<img src=x%' AND failure = 'signal SIGILL'")" = 2 ]
}

the_latest_is_meant()
{
    "$hillock" report --db results.db --json >latest.json && cmp latest.json bad.json
}

# The last line of compare is a command for a shell.
what_compare_says_can_be_pasted()
{
    "$hillock" compare --act "relu,./$bad.so" --name "$bad" "${few[@]}" >out 2>err
    eval "'$hillock' $(sed -n 's/^hillock \(report .*\) writes curves.*/\1/p' out) --json" >pasted.json &&
        "$hillock" report --db results.db --json | cmp - pasted.json
}

# A single training is a comparison of one row.
a_training_is_reported()
{
    "$hillock" train mlp:width=8 --act tanh --data glyphs:train=100,test=50 --epochs 2 --val 0.2 --seed 3 \
        --db single.db --name one >out 2>err && grep -q 'single.db: kept as "one"' err &&
        "$hillock" report --db single.db --out single.html >out && grep -q 'tanh' single.html &&
        grep -q '<title>tanh, 2: ' single.html && grep -qF 'hillock train mlp:width=8' single.html &&
        [ "$(sqlite3 single.db "SELECT seed, state, (SELECT count(*) FROM epochs) FROM runs")" = '3|ok|2' ] &&
        grep -q "\"digest\": \"$(sqlite3 single.db 'SELECT digest FROM runs')\"" <("$hillock" train mlp:width=8 \
            --act tanh --data glyphs:train=100,test=50 --epochs 2 --val 0.2 --seed 3 --json 2>err) || return 1
    "$hillock" train mlp:width=8 --data glyphs:train=100,test=50 --epochs 1 --db single.db --name one >out 2>err
    [ $? = 2 ] && grep -q 'single.db' err
}

# On a narrow screen tables have fewer columns and a second line; elsewhere they are whole.
tables_fit_the_screen()
{
    local columns net="mlp:width=8 --data glyphs:train=100,test=50 --epochs 1"
    for columns in 80 60; do
        {
            COLUMNS=$columns "$hillock" compare --act relu,tanh --name plain "${few[@]}" 2>err | grep -v '^hillock report' &&
                COLUMNS=$columns "$hillock" train $net --out narrow.safetensors | sed -n '/^epoch/,/^class/p'  &&
                COLUMNS=$columns "$hillock" doctor narrow.safetensors --data glyphs:train=100,test=50 | sed 1d
        } >out || return 1
        cat out
        awk -v most=$columns 'length > most { print "wide: " $0; bad = 1 } END { exit bad }' out &&
            grep -q '^rank  activation  accuracy .*95 % interval' out && grep -q '^    .*; \(against\|parameters\)' out &&
            grep -q '^  *layer  units .*dormant' out && grep -q '^      .*gradient [0-9]' out &&
            grep -q '^    .*do not learn' out || return 1
    done
    "$hillock" compare --act relu,tanh --name plain "${few[@]}" 2>err >out && grep -q '^rank .*against the baseline$' out &&
        "$hillock" doctor narrow.safetensors --data glyphs:train=100,test=50 >out && grep -q '^layer .*do not learn, after ' out
}

# Folders are left out where the names alone tell data sets apart.
data_sets_have_short_names()
{
    local folder
    mkdir one two && for folder in one two; do
        awk -v OFS=, 'BEGIN { for (i = 0; i < 80; i++) print rand(), rand(), i % 2 }' \
            >$folder/points.csv
    done
    "$hillock" compare --act relu,tanh --model mlp:width=4 --data csv:one/points.csv \
        --seeds 2 --epochs 1 --db csv.db >out || return 1
    grep -q '^csv:points.csv, mlp:width=4' out || return 1
    "$hillock" compare --act relu,tanh --model mlp:width=4 --data csv:one/points.csv \
        --data csv:two/points.csv --seeds 2 --epochs 1 --db both.db >out || return 1
    cat out
    grep -q '^csv:one/points.csv, mlp' out && grep -q '^csv:two/points.csv, mlp' out
}

run prepare
run the_page_is_whole
run markdown_is_a_table
run csv_has_every_run
run json_is_json
run reading_changes_nothing
run sweeps_are_listed
run a_figure_stands_alone
run two_sweeps_stand_side_by_side
run names_are_text
run data_sets_have_short_names
run a_training_is_reported
run the_latest_is_meant
run what_compare_says_can_be_pasted

run refuses 3 'nowhere.db: there is no such file' "$hillock" report --db nowhere.db
run refuses 3 'not a regular file' "$hillock" report --db .
sqlite3 foreign.db 'CREATE TABLE t (x)'
run refuses 3 'a database of another program' "$hillock" report --db foreign.db
head -c 3000 /dev/urandom >noise.db
run refuses 3 'not a database of results' "$hillock" report --db noise.db
run refuses 2 'there is no sweep "other"; known: <img' "$hillock" report --db results.db --name other
run refuses 2 'expected a name that ends in .html, .md, .csv, .json or .tex' "$hillock" report --db results.db --out page.pdf
run refuses 2 'did you mean "loss"? known: leaderboard' "$hillock" report --db results.db --name plain --figure los --out f.svg
run refuses 2 'a table from 1 to 1' "$hillock" report --db results.db --name plain --figure loss:2 --out f.svg
run refuses 2 '--figure needs --out FILE.svg or FILE.pdf' "$hillock" report --db results.db --figure loss --out f.png
run refuses 2 'there is no sweep "other"' "$hillock" report --db results.db --with other
run refuses 2 '--with plain is the comparison itself' "$hillock" report --db results.db --name plain --with plain
run refuses 2 'not with .csv' "$hillock" report --db results.db --name plain --with "$bad" --out both.csv
run refuses 4 'cannot write nowhere/page.html' "$hillock" report --db results.db --out nowhere/page.html
run refuses 2 'unexpected "x"' "$hillock" report x
run tables_fit_the_screen
result
