#!/bin/bash
# network.sh BUILD - one training on two hosts that a network of 1 Gbit/s and 200 us connects: its bits, its
# bytes, what it takes against the forecast, and what happens when the network is cut. Hosts are network
# namespaces, the rate is the kernel's (tc tbf), the delay that of tests/experiments/tcp_team.c, since not every
# kernel has netem. As root. Prints; nothing is decided by it.
set -uo pipefail
build=$(realpath "$1") source=$(realpath "$(dirname "$0")/../..")
hillock=$build/bin/hillock
cd "$(mktemp -d)" || exit
export OMP_NUM_THREADS=1 GOMP_SPINCOUNT=1000 HILLOCK_TEAM=$PWD/tcp.so
cc -shared -fPIC -O2 -D_GNU_SOURCE -I "$source/tools" -I "$source/framework/include" -o tcp.so \
    "$source/tests/experiments/tcp_team.c" || exit

hosts() # MBIT MICROSECONDS
{
    remove_hosts
    for i in 1 2; do ip netns add "hk$i"; done
    ip link add hk1 netns hk1 type veth peer name hk2 netns hk2
    for i in 1 2; do
        ip -n "hk$i" addr add "10.9.0.$i/24" dev "hk$i"
        ip -n "hk$i" link set "hk$i" up
        ip netns exec "hk$i" tc qdisc add dev "hk$i" root tbf rate "${1}mbit" burst 64kb latency 50ms
    done
    export TEAM_HOSTS=10.9.0.1,10.9.0.2 TEAM_DELAY_US=$2
}

remove_hosts()
{
    for i in 1 2; do ip netns del "hk$i" 2>/dev/null; done
}
trap remove_hosts EXIT

on_both() # WORD...
{
    TEAM_RANK=1 taskset -c 1 ip netns exec hk2 "$hillock" "$@" 2>second &
    TEAM_RANK=0 taskset -c 0 ip netns exec hk1 "$hillock" "$@" 2>first
    local status=$?
    wait
    return $status
}

digest() { sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p'; }

net="train resnet20 --data glyphs:train=1024,test=200,size=32,channels=3 --epochs 1 --seed 1 --batch 128
    --parts 8 --augment crop=4,flip --threads 1 --no-probes"
echo "one process: $(env -u HILLOCK_TEAM "$hillock" $net --json 2>/dev/null | digest)"
hosts 1000 200
echo "two hosts, 1 Gbit/s, 200 us: $(on_both $net --json | digest)"
grep -h bytes first second

for setting in "1000 200" "100 1000"; do
    hosts $setting
    for repetition in 1 2 3; do
        on_both bench train resnet20 --parts 8 --batch 128 --threads 1 \
            --network "${setting% *}Mbit,${setting#* }us" | grep -E '^(network|model  *[12] |measured)'
    done
done

hosts 1000 200
(sleep 8 && ip -n hk1 link set hk1 down) &
SECONDS=0
on_both train mlp --data glyphs --parts 2 --epochs 10000 --threads 1 --no-probes --wait 3 --out cut.st >/dev/null
echo "network cut after 8 s: status $?, $SECONDS s in all: $(grep -h '^hillock:' first second)"
"$hillock" inspect cut.st | head -1
