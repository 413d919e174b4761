#!/bin/bash
# The table of treatments in docs/dead-neurons.md: nets ruined by an epoch at a rate that is far too high, and
# what `hillock doctor --try-treatments` finds of them. Some minutes.
# usage: treatments.sh HILLOCK
set -e
hillock=$(realpath "$1")
cd "$(mktemp -d)"
data=glyphs:train=4000,test=1000

# try MODEL OPTIMIZER
try()
{
    "$hillock" train "$1" --data $data --optimizer "$2" --schedule constant --epochs 1 --out ruined.st >/dev/null
    "$hillock" doctor ruined.st --data $data --try-treatments --seeds 5 | sed -n '2p;/^Trial/,$p'
}

try mlp:width=64,depth=3 adam:lr=0.1
try lenet5 adam:lr=0.1
try lenet5 adam:lr=0.02
