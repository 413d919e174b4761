#!/bin/bash
# hillock compare from outside: what was found stays found, whatever happens to the coordinator, its
# workers, its file and its disk; and a plugin that misbehaves is a row, not the end.
# usage: compare.sh HILLOCK SOURCE-DIRECTORY [KILLS], default 10
hillock=$1 source=$2 kills=${3:-10}
. "$source/tests/shell.sh"
export source
data=glyphs:train=200,test=100
tiny=glyphs:train=100,test=50
few=(--act relu,tanh --model mlp:width=8 --data $tiny --seeds 1 --epochs 1)
sweep=(--act relu,tanh --model mlp:width=8 --data $data --seeds 2 --epochs 1)

# The export of a sweep in a file, which must be all there: it runs nothing.
export_of() # FILE
{
    "$hillock" compare "${sweep[@]}" --db "$1" --json --canonical 2>progress
}

whole() # FILE
{
    [ "$(sqlite3 "$1" 'PRAGMA integrity_check')" = ok ]
}

# No worker and no keeper of a worker is left; each carries the mark in its environment.
nobody_left() # MARK
{
    local try
    for try in $(seq 1000); do # SIGKILL is obeyed soon, on a busy machine later
        grep -lzs "^HILLOCK_PLUGIN_PATH=.*$1" /proc/[0-9]*/environ >alive || return 0
        sleep 0.1
    done
    cat alive
    return 1
}

# ---- The same command again

reference()
{
    "$hillock" compare "${sweep[@]}" --db a.db --jobs 1 --json --canonical >a.json &&
        [ "$(grep -c '"state": "ok"' a.json)" = 4 ] && whole a.db && [ ! -e a.db-wal ]
}

other_jobs_find_the_same()
{
    "$hillock" compare "${sweep[@]}" --db b.db --jobs 2 --json --canonical >b.json && cmp a.json b.json
}

nothing_runs_twice()
{
    export_of a.db >again.json && cmp a.json again.json &&
        [ "$(sqlite3 a.db 'SELECT sum(attempts) FROM runs')" = 4 ] &&
        grep -q '4 runs, 4 of them there already' progress
}

more_is_added()
{
    cp a.db more.db
    "$hillock" compare --act relu,tanh,elu --model mlp:width=8 --data $data --seeds 3 --epochs 1 \
        --db more.db >out 2>progress || return 1
    cat out progress
    ! grep '^constant' out && # a figure that was not measured has no text
        grep -q '9 runs, 4 of them there already' progress && grep -Eq '  (better|worse|not shown|not tested: n)' out &&
        [ "$(sqlite3 more.db 'SELECT count(*), sum(attempts) FROM runs')" = '9|9' ] &&
        export_of more.db >again.json && cmp a.json again.json # and a smaller command has its own
}

other_settings_are_other_sweeps()
{
    cp a.db other.db
    "$hillock" compare "${sweep[@]}" --batch 32 --db other.db >out 2>progress &&
        grep -q '4 runs, 0 of them there already' progress &&
        "$hillock" compare "${sweep[@]}" --name mine --db other.db >out 2>progress &&
        refuses 2 'was made with other settings' \
            "$hillock" compare "${sweep[@]}" --name mine --batch 16 --db other.db
}

rates_are_tuned()
{
    "$hillock" compare "${sweep[@]}" --tune lr=1e-4:1e-1:2 --db tune.db --json --canonical >out &&
        [ "$(sqlite3 tune.db 'SELECT count(*) FROM runs WHERE tuning')" = 4 ] &&
        [ "$(sqlite3 tune.db 'SELECT count(*) FROM runs JOIN rows ON rows.id = row WHERE NOT tuning
             AND state = "ok" AND runs.rate = rows.rate')" = 4 ] &&
        [ "$(sqlite3 tune.db 'SELECT count(*) FROM runs WHERE tuning AND test_loss NOT NULL')" = 0 ]
}

# mobilenet runs relu6 for relu, simple_cnn prelu in its second layer.
rows_are_called_by_what_runs()
{
    "$hillock" compare --act relu,relu6 --model mobilenet --data glyphs:train=50,test=20 --seeds 1 --epochs 1 --db runs.db >out 2>err &&
        cat out err && grep -q 'relu and relu6 are one row: mobilenet runs relu6 for both' err &&
        grep -q '^ *1  relu6  ' out &&
        "$hillock" compare --act mish --model simple_cnn --data glyphs:train=50,test=20 --seeds 1 --epochs 1 --db runs.db >out 2>err &&
        cat out err && grep -q '^ *1  mish+conv2=prelu  ' out
}

same_nets_are_one_row()
{
    "$hillock" compare "${few[@]}" --norm batch_norm,none --db same.db >out 2>err
    cat out err
    grep -q 'relu (batch_norm) = relu (none), tanh (batch_norm) = tanh (none): one net' out &&
        [ "$(grep -c '^ *[1-4]  ' out)" = 2 ]
}

# Tasks one after another, under treatments: rows of their own, late against early with a verdict.
streams_are_compared()
{
    local stream=(--act relu,elu --doctor none,redo --model mlp:width=8 --data glyphs:train=120,test=40,size=8
        --stream permute:tasks=4,images=80 --optimizer sgd:lr=0.5 --batch 8 --seeds 3 --db stream.db)
    "$hillock" compare "${stream[@]}" --jobs 1 --json --canonical >one.json 2>err &&
        "$hillock" compare "${stream[@]}" --json >report.json 2>err &&
        "$hillock" compare "${stream[@]}" >out 2>err &&
        "$hillock" report --db stream.db --out stream.html 2>err || return 1
    cat out err
    grep -q '"stream": "permute:tasks=4,images=80"' one.json && grep -q '"treatment": "redo"' one.json &&
        [ "$(grep -c '"online_accuracy"' one.json)" = 48 ] && [ "$(grep -c '"late_accuracy"' one.json)" = 12 ] &&
        grep -q '"late_less_early"' report.json && grep -q 'late accuracy over 3 seeds' out &&
        grep -Eq '(lost|gained|not shown)$' out && grep -q 'Effective rank of the last hidden layer' stream.html || return 1
    "$hillock" compare "${stream[@]/stream.db/two.db}" --jobs 2 --json --canonical >two.json 2>err && cmp one.json two.json &&
        refuses 2 'a task is an epoch' "$hillock" compare "${stream[@]}" --epochs 3 &&
        refuses 2 'did you mean "permute"? known: permute, labels, classes' "$hillock" compare --stream permuted &&
        refuses 2 'no treatment named "nono"' "$hillock" compare "${stream[@]}" --doctor nono
}

# A row for the first of every list, and one for each other entry; what is left out of a label is as there.
one_thing_at_a_time()
{
    local few=(--data glyphs:train=60,test=40,size=8 --epochs 1 --seeds 1)
    "$hillock" compare --model mlp:width=8,norm=1 "${few[@]}" --one-at-a-time --act relu,elu --norm none,batch_norm --weight-norm none,spectral_norm \
        --optimizer adam,adam:clip=0.5 --db single.db --json >single.json 2>err &&
        "$hillock" compare "${few[@]}" --remedies --db remedies.db >out 2>err || return 1
    cat out err
    [ "$(sed -n 's/.*"label": "\(.*\)".*/\1/p' single.json | LC_ALL=C sort | tr '\n' ';')" = \
        'elu;relu;relu (adam:clip=0.5);relu (batch_norm);relu (spectral_norm);' ] &&
        grep -q '"weight_norm": "spectral_norm"' single.json && grep -q 'relu (spectral_norm) ' out &&
        grep -q 'relu (.*dropout=0.2) ' out && [ "$(grep -c '^ *[0-9]*  \(relu\|leaky\|prelu\|elu\|selu\|lgb\)' out)" -ge 14 ]
}

# What was said at each number of seeds is kept, once, and told.
looks_are_kept()
{
    local again=(--act relu,tanh --model mlp:width=8 --data $tiny --epochs 1 --db looks.db) seeds
    for seeds in 1 2 2 3; do
        "$hillock" compare "${again[@]}" --seeds $seeds >out 2>err || return 1
    done
    cat out
    grep -q '^Looked at before, after 1 and 2 seeds: ' out &&
        [ "$(sqlite3 looks.db 'SELECT group_concat(seeds) FROM looks')" = 1,2,3 ] &&
        "$hillock" report --db looks.db --out looks.html >out 2>err && grep -q 'Every look' looks.html &&
        grep -q 'not tested: 2 seeds' looks.html && grep -q '^Looked at before' out
}

# Seeds are added up to the most; the sweep remembers by which rule it is read.
seeds_are_added_until_decided()
{
    "$hillock" compare "${few[@]}" --until-decided --most 4 --db until.db >out 2>err
    cat out
    grep -q '^seeds were added until all was decided, 4 at most' out &&
        [[ $(sqlite3 until.db 'SELECT count(DISTINCT seed) FROM runs') = [34] ]] &&
        [ "$(sqlite3 until.db 'SELECT most FROM sweeps')" = 4 ] &&
        refuses 2 '--most needs --until-decided' "$hillock" compare "${few[@]}" --most 4 --db until.db
}

# A file that has lost its name is no place for results.
removed_while_it_is_written()
{
    "$hillock" compare "${sweep[@]}" --db gone.db >out 2>err &
    local process=$!
    until sqlite3 -readonly gone.db 'SELECT state FROM runs' 2>/dev/null | grep -q running ||
        ! kill -0 $process; do
        sleep 0.01
    done
    rm -f gone.db
    wait $process
    local status=$?
    cat out err
    [ $status = 4 ] && grep -q 'gone.db: was removed or replaced' err
}

# One lock, however the file is named.
a_link_has_the_lock_of_its_file()
{
    cp a.db linked.db && ln -s linked.db link.db && : >linked.db-lock
    flock linked.db-lock "$hillock" compare "${sweep[@]}" --db link.db >out 2>err
    [ $? = 4 ] && grep -q 'another hillock compare is writing to it' err
}

# ---- Interruptions

slow=(--act relu,tanh --model lenet5 --data glyphs:train=800,test=50 --seeds 2 --epochs 5)

until_running() # FILE PROCESS
{
    while kill -0 "$2"; do
        [ -e "$1" ] && sqlite3 "$1" "SELECT 'yes' FROM runs WHERE state = 'running'" | grep -q yes &&
            return
        sleep 0.05
    done
}

interrupted()
{
    "$hillock" compare "${slow[@]}" --db stop.db >out 2>err &
    local child=$!
    until_running stop.db $child
    kill -INT $child
    wait $child
    local status=$?
    cat err
    [ $status = 130 ] && whole stop.db && # before all are through
        [ "$(sqlite3 stop.db "SELECT count(*) FROM runs WHERE state = 'running'")" = 0 ] &&
        [ "$(sqlite3 stop.db "SELECT count(*) FROM runs WHERE state = 'ok'")" -lt 4 ] &&
        "$hillock" compare "${slow[@]}" --db stop.db >out 2>err &&
        [ "$(sqlite3 stop.db "SELECT count(*), sum(attempts) FROM runs WHERE state = 'ok'")" = '4|4' ]
}

# Ends a coordinator, its workers or their keepers at a random moment of the sweep, until the sweep is
# done. No leaks are looked for: a sanitizer does that in a child of its own and waits for it for ever,
# should it be killed as if it were a keeper.
survives() # WHOM KILLS
{
    local whom=$1 n=$2 child keepers mark status
    local -x ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    rm -f kill.db*
    for _ in $(seq "$n"); do
        mark=$RANDOM$RANDOM
        HILLOCK_PLUGIN_PATH=/nowhere/$mark "$hillock" compare "${sweep[@]}" --db kill.db >out 2>err &
        child=$!
        sleep "0.$(printf %03d $((RANDOM % 350)))"
        keepers=$(pgrep -d , -P $child)
        [ "$whom" != keeper ] || pkill -KILL -P $child
        [[ $whom != @(worker|both) || -z $keepers ]] || pkill -KILL -P "$keepers"
        [[ $whom != @(coordinator|both) ]] || kill -KILL $child 2>/dev/null
        wait $child 2>/dev/null
        status=$?
        nobody_left $mark || return 1
        [ ! -e kill.db ] || whole kill.db || return 1
        # a finished sweep starts anew
        if [ $status = 0 ]; then
            export_of kill.db >kill.json && cmp a.json kill.json || return 1
            rm -f kill.db*
        fi
    done
    export_of kill.db >kill.json && cmp a.json kill.json && whole kill.db
}

# ---- Files that are not as they should be

unchanged() # FILE STATUS TEXT ARGUMENT...
{
    local file=$1 before after
    before=$(sha256sum "$file")
    refuses "$2" "$3" "$hillock" compare "${sweep[@]}" --db "$file" "${@:4}"
    local status=$?
    after=$(sha256sum "$file")
    [ $status = 0 ] && [ "$before" = "$after" ]
}

two_at_once()
{
    "$hillock" compare "${slow[@]}" --db two.db >out.first 2>err.first &
    local child=$!
    until_running two.db $child
    refuses 4 'another hillock compare' "$hillock" compare "${sweep[@]}" --db two.db
    local status=$?
    kill -INT $child
    wait $child
    [ $status = 0 ]
}

full_disk()
{
    cp a.db full.db
    (ulimit -f 60 && refuses 4 'no space is left' "$hillock" compare "${sweep[@]}" --seeds 60 --db full.db) &&
        whole full.db && export_of full.db >full.json && cmp a.json full.json
}

# SQLite would take these for a database in memory and for a URI.
any_name_is_a_file() # NAME
{
    "$hillock" compare "${few[@]}" --db "$1" >out 2>progress && whole "./$1" &&
        "$hillock" compare "${few[@]}" --db "$1" >out 2>progress &&
        grep -q '2 runs, 2 of them there already' progress
}

read_only()
{
    mkdir closed && cp a.db closed/ && chmod 444 closed/a.db && chmod 555 closed || return 1
    local before after as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --bounding-set -dac_override) # root obeys modes then
    before=$(sha256sum closed/a.db)
    refuses 4 'cannot be written to' "${as[@]}" "$hillock" compare "${sweep[@]}" --db closed/a.db
    local status=$?
    after=$(sha256sum closed/a.db)
    chmod 755 closed
    [ $status = 0 ] && [ "$before" = "$after" ]
}

# ---- Plugins that misbehave

build() # SOURCE NAME OPTION...: NAME.so
{
    "${CC:-cc}" -O2 -w -fPIC -shared -fvisibility=hidden -I"$source/framework/include" "${@:3}" \
        "$source/tests/$1.c" -o "$2.so" -lm
}

deadline=8 # the bomb needs some seconds

# Each animal: its name, its source, the class of its run as pool.h has it.
animals=(
    'crash       zoo/crash                        signal SIGSEGV'
    'when_loaded zoo/constructor_crash            signal SIGILL'
    'aborts      zoo/aborts                       signal SIGABRT'
    'exits       zoo/exits_at_once                contract'
    'hangs       zoo/loop                         timeout'
    'stubborn    bad_plugins/offspring+DSTUBBORN  timeout'
    'offspring   bad_plugins/offspring            ok'
    'daemon      bad_plugins/offspring+DDAEMON    ok'
    'not_numbers bad_plugins/nan                  diverged'
    'chatter     bad_plugins/chatter              contract'
    'prints      zoo/prints                       ok'
    'bomb        zoo/memory_bomb                  memory'
)

if grep -q __asan_init "$hillock"; then
    unset 'animals[-1]' # the memory of a sanitized program is limited in another way
fi

build_animals()
{
    local animal name from option
    for animal in "${animals[@]}"; do
        read -r name from _ <<<"$animal"
        option=${from#"${from%+*}"}
        build "${from%+*}" "$name" ${option:+"-${option#+}"} || return 1
    done
}

# The runs of animals are of their class; those of relu and tanh are as without them.
all_are_classified() # ROW...: relu, tanh, and animals by name
{
    local mark=$RANDOM$RANDOM row rows=
    rm -f zoo.db*
    for row; do
        [ "$row" = relu ] || [ "$row" = tanh ] || row=./$row.so
        rows+=${rows:+,}$row
    done
    HILLOCK_PLUGIN_PATH=/nowhere/$mark "$hillock" compare --act "$rows" --model mlp:width=8 \
        --data $tiny --seeds 1 --epochs 1 --deadline $deadline --db zoo.db >out 2>progress
    local status=$?
    cat progress
    [ $status = 5 ] && nobody_left $mark || return 1
    sqlite3 zoo.db "SELECT coalesce(failure, state) FROM runs JOIN rows ON rows.id = row
        WHERE activation NOT IN ('relu', 'tanh') ORDER BY place" >found
    for row; do
        printf '%s\n' "${animals[@]}" | sed -n "s/^$row  *[^ ]*  *//p"
    done | diff - found &&
        "$hillock" compare "${few[@]}" --db zoo.db --json --canonical >others.json 2>err &&
        cmp few.json others.json
}

in_first_place() { all_are_classified $(printf '%s\n' "${animals[@]}" | cut -d ' ' -f 1) relu tanh; }
in_the_middle_and_last()
{
    all_are_classified relu crash when_loaded aborts offspring chatter tanh exits stubborn daemon not_numbers prints
}

# A quarter of each hidden layer starts in the dark and stays there: in the report of each layer at
# each epoch, and of the whole row.
known_dead_units_are_counted()
{
    build bad_plugins/dark dark -DSIZE=32 &&
        "$hillock" compare --act relu --init ./dark.so --model mlp:width=32 --data $tiny --seeds 1 \
            --epochs 2 --db dark.db --json >dark.json 2>err &&
        [ "$(grep -o '"dead": [^,]*' dark.json | sort | uniq -c | xargs)" = '5 dead: 0.25' ]
}

# The failure of a model is said of the model; the rows of the other one stand.
a_crashing_model_is_named()
{
    build zoo/model_crash model_crash &&
        "$hillock" compare --act relu,tanh --model ./model_crash.so,mlp:width=8 --data $data,size=8 \
            --seeds 1 --epochs 1 --db model.db >out 2>err
    [ $? = 5 ] && grep 'failed: relu, 1 of 1 runs: signal SIGSEGV, .* while model ./model_crash.so was built' out &&
        sqlite3 model.db "SELECT model, activation, state FROM runs JOIN rows ON rows.id = row" >found &&
        cat found && [ "$(grep -c '^./model_crash.so|.*|failed$' found)" = 2 ] &&
        [ "$(grep -c '^mlp:width=8|.*|ok$' found)" = 2 ]
}

a_model_is_called_by_its_name()
{
    build zoo/model_silent narrow &&
        "$hillock" compare --act relu --model ./narrow.so,mlp:width=128,depth=1 --data $data,size=8 \
            --seeds 1 --epochs 1 --db named.db --json >out 2>err &&
        [ "$(sqlite3 named.db 'SELECT model FROM rows ORDER BY place' | xargs)" = 'animal mlp:depth=1' ]
}

a_changed_plugin_is_another()
{
    local same=(--act relu,./good_steep.so --model mlp:width=8 --data $data --seeds 1 --epochs 1 --db changed.db)
    build zoo/good_steep good_steep && "$hillock" compare "${same[@]}" >out 2>err &&
        printf 'x' >>good_steep.so && "$hillock" compare "${same[@]}" >out 2>err || return 1
    cat err
    grep -q 'the plugin has changed since; 1 earlier runs do not count' err &&
        grep -q '2 runs, 1 of them there already' err
}

run reference
run other_jobs_find_the_same
run nothing_runs_twice
run more_is_added
run other_settings_are_other_sweeps
run rates_are_tuned
run rows_are_called_by_what_runs
run same_nets_are_one_row
run streams_are_compared
run one_thing_at_a_time
run looks_are_kept
run removed_while_it_is_written
run a_link_has_the_lock_of_its_file
run seeds_are_added_until_decided
run interrupted
run survives coordinator "$kills"
run survives worker $(((kills + 1) / 2))
run survives keeper $(((kills + 1) / 2))
run survives both $(((kills + 9) / 10))

head -c 3000 /dev/urandom >noise.db
run unchanged noise.db 3 'not a database of results'
sqlite3 foreign.db 'CREATE TABLE t (x); INSERT INTO t VALUES (1)'
run unchanged foreign.db 3 'a database of another program'
cp a.db newer.db && sqlite3 newer.db 'PRAGMA user_version = 2'
run unchanged newer.db 3 'made by a newer hillock'
cp a.db damaged.db && dd if=/dev/urandom of=damaged.db bs=512 seek=9 count=60 conv=notrunc 2>/dev/null
run unchanged damaged.db 3 damaged
cp a.db short.db && truncate -s 9000 short.db
run unchanged short.db 3 damaged
cp a.db cut.db && truncate -s -100 cut.db
run unchanged cut.db 3 'the database is damaged (it ends after'
cp a.db forged.db && sqlite3 forged.db 'UPDATE epochs SET loss = loss + 1 WHERE run = 2'
run refuses 3 'its checksum differs' "$hillock" report --db forged.db
mkdir folder.db
run refuses 3 'not a regular file' "$hillock" compare "${sweep[@]}" --db folder.db
run refuses 4 nowhere/x.db "$hillock" compare "${sweep[@]}" --db nowhere/x.db
run any_name_is_a_file :memory:
run any_name_is_a_file 'file:x?mode=memory'
run read_only
run two_at_once
run full_disk

build_animals && "$hillock" compare "${few[@]}" --db few.db --json --canonical >few.json 2>err
run in_first_place
run in_the_middle_and_last
run known_dead_units_are_counted
run a_changed_plugin_is_another
run a_crashing_model_is_named
run a_model_is_called_by_its_name
result
