#!/bin/bash
# compare --part and merge: parts, killed, repeated or in conflict, are the sweep of one process; and
# what docs/clusters.md hands to Slurm, GNU parallel and Kubernetes does it.
# usage: merge.sh HILLOCK SOURCE
hillock=$1 page=$2/docs/clusters.md
. "$2/tests/shell.sh"
export PATH="$(dirname "$hillock"):$PATH"
sweep="--act relu,tanh,mish --model mlp:width=8 --data glyphs:train=100,test=50 --epochs 1 --no-probes"

part() # K N WORD...
{
    "$hillock" compare $sweep "${@:3}" --part "$1/$2" --db "part-$1.db" 2>progress
}

export_of() # FILE WORD...: which must be all there
{
    "$hillock" compare $sweep "${@:2}" --db "$1" --json --canonical 2>progress
    cat progress >&2
}

parts_are_the_sweep()
{
    export_of one.db >one.json && part 1 4 && part 2 4 && part 3 4 && part 4 4 &&
        "$hillock" merge part-?.db --db all.db >told || return
    cat told
    awk '/ taken, 0 there already, 0 in conflict$/ { n += $3 } END { exit n != 9 }' told &&
        export_of all.db >all.json && grep '9 runs, 9 of them there already' progress &&
        cmp one.json all.json && "$hillock" report --db all.db --out all.md && ! grep -- --part all.md
}

again_takes_nothing()
{
    "$hillock" merge part-1.db part-2.db --db all.db --json >told.json || return
    cat told.json
    [ "$(grep -c '"taken": 0' told.json)" = 2 ] && [ "$(grep -c '"there_already": [23]' told.json)" = 2 ] &&
        export_of all.db | cmp one.json
}

a_killed_part_goes_on()
{
    rm part-2.db
    "$hillock" compare $sweep --part 2/4 --jobs 1 --db part-2.db >/dev/null 2>&1 &
    while kill -0 $! 2>/dev/null &&
        ! sqlite3 -readonly part-2.db "SELECT state FROM runs" 2>/dev/null | grep -q running; do
        sleep 0.01
    done
    kill -KILL $!
    wait $!
    rm all.db
    "$hillock" merge part-?.db --db all.db && part 2 4 && "$hillock" merge part-2.db --db all.db &&
        export_of all.db | cmp one.json
}

tuned_rows_are_whole()
{
    export_of tuned.db --tune lr=1e-3:1e-1:2 >tuned.json && rm part-?.db && part 1 2 --tune lr=1e-3:1e-1:2 &&
        part 2 2 --tune lr=1e-3:1e-1:2 && "$hillock" merge part-?.db --db tuned-all.db &&
        export_of tuned-all.db --tune lr=1e-3:1e-1:2 | cmp tuned.json
}

# Seeds and rows of both, a failure that another file has the result of.
different_sweeps_are_joined()
{
    rm part-?.db
    "$hillock" compare ${sweep/relu,tanh,mish/relu,tanh} --seeds 1 --db a.db --name n >/dev/null 2>&1
    "$hillock" compare ${sweep/relu,tanh,mish/mish,relu} --seeds 2 --db b.db --name n >/dev/null 2>&1
    sqlite3 a.db "UPDATE runs SET state = 'failed', failure = 'exit 1', digest = NULL, checksum = NULL, seal = NULL WHERE id = 1"
    "$hillock" merge a.db b.db --db both.db --name n || return
    [ "$(sqlite3 both.db "SELECT count(*), group_concat(DISTINCT state) FROM runs WHERE seed = 1")" = '3|ok' ] &&
        [ "$(sqlite3 both.db 'SELECT count(*) FROM rows WHERE place IS NOT NULL')" = 3 ] &&
        [ "$(sqlite3 both.db 'SELECT seeds FROM sweeps')" = 2 ]
}

another_result_is_a_conflict()
{
    cp one.db other.db
    sqlite3 other.db "UPDATE runs SET digest = '0000' || substr(digest, 5), checksum = NULL, seal = NULL WHERE seed = 2;
        UPDATE sweeps SET provenance = json_set(provenance, '$.processor', 'another'), seal = NULL"
    "$hillock" merge other.db --db all.db >out 2>err
    local status=$?
    cat out err
    [ $status = 3 ] && grep ' 6 there already, 3 in conflict' out && [ "$(grep -c 'seed 2: its weights' err)" = 3 ] &&
        export_of all.db | cmp one.json && "$hillock" report --db all.db --json | grep -q '"processor":"another"'
}

faults_are_told()
{
    refuses 2 'where the results go' "$hillock" merge one.db --db ./one.db &&
        refuses 3 'there is no such file' "$hillock" merge absent.db --db one.db &&
        refuses 2 'no sweep "x"' "$hillock" merge one.db --db all.db --name x &&
        refuses 3 'not a database of results' "$hillock" merge "$page" --db all.db &&
        refuses 2 'other settings' "$hillock" merge with.db --db without.db --name n &&
        refuses 2 '"5/4", expected K/N' "$hillock" compare $sweep --part 5/4 &&
        refuses 2 '"0/4"' "$hillock" compare $sweep --part 0/4 &&
        refuses 2 'SLURM_ARRAY_TASK_ID is not set' "$hillock" compare $sweep --part &&
        refuses 2 'merge the parts first' "$hillock" compare $sweep --part 1/2 --until-decided
}

block() # WORD
{
    awk -v fence="\`\`\`$1" '/^```/ { inside = !inside && $1 == fence; next } inside' "$page"
}

slurm_file_runs_a_part()
{
    echo "$sweep" >sweep.options
    block sbatch >sweep.sbatch
    rm -f part-?.db
    local task
    for task in 1 2 3; do
        SLURM_CPUS_PER_TASK=2 SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3 \
            bash sweep.sbatch || return
    done
    "$hillock" merge part-?.db --db slurm.db && export_of slurm.db | cmp one.json
}

kubernetes_file_runs_a_part()
{
    rm -f part-?.db
    JOB_COMPLETION_INDEX=2 sh -c "$(block yaml | sed -n 's/.*command: \[sh, -c, "\(.*\)"\]$/\1/p')" && [ -s part-2.db ]
}

parallel_runs_all()
{
    rm -f part-?.db
    bash -c "$(block parallel)" && "$hillock" merge part-?.db --db parallel.db && export_of parallel.db | cmp one.json
}

run parts_are_the_sweep
run again_takes_nothing
run a_killed_part_goes_on
run tuned_rows_are_whole
run different_sweeps_are_joined
run another_result_is_a_conflict
"$hillock" compare ${sweep/--no-probes/} --seeds 1 --db with.db --name n >/dev/null 2>&1
"$hillock" compare $sweep --seeds 1 --db without.db --name n >/dev/null 2>&1
run faults_are_told
run slurm_file_runs_a_part
run kubernetes_file_runs_a_part
if parallel --version 2>/dev/null | grep -q '^GNU parallel'; then
    run parallel_runs_all
else
    skipped=1
    echo 'skip parallel_runs_all: GNU parallel is not installed'
fi
result
