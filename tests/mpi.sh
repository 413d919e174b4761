#!/bin/bash
# Training on several processes under the MPI that is here: the bits of one, what is refused, and what happens
# when one is lost. The mathematics is that of tests/test_parts.c.
# usage: mpi.sh HILLOCK SOURCE
hillock=$1 page=$2/docs/clusters.md
. "$2/tests/shell.sh"
export OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=0 # those of MPI are its own
small="--data glyphs:train=200,test=50,size=14 --seed 1 --no-probes --batch 24"
net="train simple_cnn $small --parts 4 --augment crop=1,flip"

launch() # N WORD...
{
    case $mpi in
    openmpi) mpirun.openmpi --allow-run-as-root --oversubscribe -n "$@" ;;
    mpich) mpirun.mpich -n "$@" ;;
    esac
}

digest() # of the JSON on standard input
{
    sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p'
}

processes_give_the_bits_of_one()
{
    "$hillock" $net --epochs 2 --json 2>progress | digest >one && test -s one || return
    for n in 2 4; do
        launch "$n" "$hillock" $net --epochs 2 --json 2>progress | digest | cmp - one || return
    done
}

another_number_goes_on()
{
    launch 4 "$hillock" $net --epochs 2 --stop 1 --out half.st >told 2>&1 &&
        launch 2 "$hillock" $net --epochs 2 --resume half.st --out half.st --json 2>progress |
        digest | cmp - one
}

other_parts_are_refused()
{
    ! "$hillock" train simple_cnn $small --augment crop=1,flip --epochs 3 --resume half.st 2>told &&
        grep 'half.st: was trained with batches in 4 parts, not 1' told
}

without_parts_it_is_told()
{
    launch 2 "$hillock" train mlp $small >told 2>&1
    test $? = 2 && grep 'hillock: 2 processes need --parts N' told &&
        ! launch 4 "$hillock" train mlp $small --parts 2 >told 2>&1 &&
        grep 'hillock: 4 processes cannot share 2 parts' told
}

process_of_rank() # N
{
    local id
    for id in $(pgrep -f "^$hillock train mlp.*lost.st"); do
        grep -qzE "^(OMPI_COMM_WORLD_RANK|PMI_RANK)=$1\$" "/proc/$id/environ" && echo "$id"
    done 2>/dev/null
}

# lost_process SIGNAL STATUS: what launch answered, with its output in told
lost_process()
{
    rm -f lost.st
    launch 2 "$hillock" train mlp $small --parts 2 --epochs 100000 --wait 1 --out lost.st >told 2>&1 &
    local launched=$! lost
    while [ ! -f lost.st ] && kill -0 $launched; do sleep 0.1; done
    lost=$(process_of_rank 1)
    kill "-$1" "$lost"
    wait $launched
    local status=$?
    kill -KILL "$lost" 2>/dev/null
    [ $status != 0 ] && "$hillock" inspect lost.st >whole
}

lost_processes_end_all()
{
    lost_process KILL && lost_process STOP &&
        grep 'hillock: process 0 of 2 lost process 1: no answer for 1 s' told
}

bench_measures_and_forecasts()
{
    launch 2 "$hillock" bench train lenet5 --parts 2 --batch 16 --threads 1 >told 2>progress &&
        cat told && grep '^network: ' told && grep '^model  *2 ' told && grep '^measured  *2 ' told
}

page_shows_what_works()
{
    mpirun() { launch "${@:2}"; }
    export PATH="$(dirname "$hillock"):$PATH"
    eval "$(sed -n '/^```mpirun$/,/^```$/p' "$page" | grep '^mpirun ')" >told 2>progress &&
        grep 'batches in 8 parts on 4 processes' told && test -s net.safetensors
}

forecast_needs_no_other_process()
{
    "$hillock" bench train lenet5 --parts 4 --batch 16 --network 1Gbit,200us >told &&
        cat told && grep 'network: 1 Gbit/s, 200 us' told && [ "$(grep -c '^model ' told)" = 3 ]
}

bad_launchers_and_networks_are_told()
{
    ! "$hillock" bench train lenet5 --parts 4 2>told && grep -- '--parts on one process needs --network' told &&
        ! "$hillock" bench train lenet5 --parts 4 --network 1Gbit 2>told &&
        grep -- '--network is "1Gbit", expected bandwidth and latency' told &&
        ! HILLOCK_TEAM=./none.so "$hillock" train mlp $small --parts 2 2>told &&
        grep 'several processes were started, and what connects them does not open: ./none.so' told
}

run forecast_needs_no_other_process
run bad_launchers_and_networks_are_told
# Under a sanitizer what is slow is not new: the threads of test_parts.c are watched.
launchers='openmpi mpich' cases='processes_give_the_bits_of_one another_number_goes_on other_parts_are_refused
    without_parts_it_is_told lost_processes_end_all bench_measures_and_forecasts page_shows_what_works'
! grep -q __asan_init "$hillock" || launchers=openmpi cases='processes_give_the_bits_of_one another_number_goes_on'
for mpi in $launchers; do
    if ! command -v "mpirun.$mpi" || [ ! -f "$(dirname "$hillock")/../lib/hillock/$mpi.so" ]; then
        skipped=$((skipped + 1))
        echo "  skipped: $mpi is not installed, or was not when this was built"
        continue
    fi
    for case in $cases; do
        run $case
    done
done
result
