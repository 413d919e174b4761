#!/bin/bash
# The order of the rooms, docs/architecture.md: no include points upward, no circle joins files of
# different folders, and external symbols begin with the prefix of their room.
# usage: rooms.sh BUILD SOURCE
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
build=$1 source=$2

# Each room and those directly below it: it may include these, and whatever these may.
order='
framework/include/hillock
framework/core             framework/include/hillock
framework/engine           framework/core
framework/graph            framework/core
framework/plugin           framework/engine framework/graph
framework/ops              framework/plugin
framework/ops/fused        framework/ops
framework/io               framework/core
framework/nn               framework/ops framework/io
framework/data             framework/io
framework/train            framework/nn framework/data
framework/doctor           framework/train
framework/forecast         framework/train
plugins                    framework/include/hillock
models                     framework/include/hillock
tools                      framework/doctor framework/forecast framework/ops/fused'

# The prefix of each room; a folder that is not here has that of the one around it.
prefixes='
framework           hk_ hki_ hks_
tools               tool_
tools/bench         bench_
tools/compare       compare_
tools/compare/report report_
tools/export        export_
tools/modules       hillock_
tools/net           net_
tools/page          page_
tools/plugin        plugin_
tools/plugin/check  check_
tools/plugin/formula formula_
tools/stats         stats_
tools/workers       worker_'

# "FILE INCLUDED" for every include of a file of ours, in a tree.
includes() # TREE
(
    cd "$1" || exit
    find framework models plugins tools -name '*.[ch]' >"$work/.files"
    xargs grep -HoE '^ *# *include *["<][^">]*' <"$work/.files" | sed 's/: *# *include *["<]/ /' |
        awk '
            NR == FNR { ours[$0]; next }
            {
                place = $1
                sub(/[^\/]*$/, "", place)
                n = split(place " framework/ framework/include/ tools/", places, " ")
                for (i = 1; i <= n; i++)
                    if (places[i] $2 in ours) {
                        print $1, places[i] $2
                        break
                    }
            }' "$work/.files" -
)

upward_includes() # TREE
{
    includes "$1" | awk -v order="$order" '
        function folder(file) { sub(/\/[^\/]*$/, "", file); return file }
        function room(at) # the nearest that the order names
        {
            while (!(at in known) && at ~ /\//)
                at = folder(at)
            return at
        }
        function may(from, to,    i)
        {
            if (from == to)
                return 1
            for (i = 1; i <= n_below[from]; i++)
                if (may(below[from, i], to))
                    return 1
            return 0
        }
        BEGIN {
            lines = split(order, line, "\n")
            for (l = 1; l <= lines; l++) {
                n = split(line[l], name, " ")
                known[name[1]]
                for (i = 2; i <= n; i++)
                    below[name[1], ++n_below[name[1]]] = name[i]
            }
        }
        !may(room(folder($1)), room(folder($2))) { print "upward: " $1 " includes " $2 }'
}

# A source and its header are one.
circles() # TREE
{
    includes "$1" | awk '
        function folder(file) { sub(/\/[^\/]*$/, "", file); return file }
        function reach(from, at,    i)
        {
            seen[from, at]
            for (i = 1; i <= n[at]; i++)
                if (!((from, to[at, i]) in seen))
                    reach(from, to[at, i])
        }
        { gsub(/\.[ch]/, ""); to[$1, ++n[$1]] = $2 }
        END {
            for (from in n)
                reach(from, from)
            for (pair in seen) {
                split(pair, two, SUBSEP)
                if (two[1] < two[2] && (two[2], two[1]) in seen && folder(two[1]) != folder(two[2]))
                    print "a circle: " two[1] " and " two[2]
            }
        }'
}

# External symbols of the object files, CMakeFiles/LIBRARY.dir/SOURCE.o, of sources in the tree.
foreign_symbols() # TREE BUILD
{
    (cd "$1" && find framework tools -name '*.c' >"$work/.files")
    find "$2/CMakeFiles" -path '*/hillock*.dir/*.c.o' ! -path '*/hillock-tool.dir/*' |
        xargs nm -A --defined-only --extern-only |
        sed -n 's|^.*\.dir/\(.*\)\.o:[^ ]* [^ ]* |\1 |p' | awk -v prefixes="$prefixes" '
        BEGIN {
            lines = split(prefixes, line, "\n")
            for (l = 1; l <= lines; l++) {
                split(line[l], name, " ")
                sub(/^ *[^ ]+ */, "", line[l])
                allowed[name[1]] = line[l]
            }
        }
        NR == FNR { ours[$0]; next }
        $1 in ours {
            at = $1
            while (!(at in allowed) && sub(/\/[^\/]*$/, "", at))
                ;
            n = split(allowed[at], prefix, " ")
            for (good = i = 0; ++i <= n;)
                good = good || index($2, prefix[i]) == 1
            if (!good)
                print "foreign: " $2 " in " $1
        }' "$work/.files" -
}

# ---- A made-up tree, with one fault of each kind

write() # FILE LINE...
{
    mkdir -p "${1%/*}" && printf '%s\n' "${@:2}" >"$1"
}

make_tree()
{
    write tree/framework/include/hillock/tensor.h '#pragma once' &&
        write tree/framework/core/base.h '#pragma once' '#include <hillock/tensor.h>' &&
        write tree/framework/core/base.c '#include "core/base.h"' 'int hki_base;' &&
        write tree/framework/ops/ops.h '#include "core/base.h"' '#include "ops/fused/chain.h"' &&
        write tree/framework/ops/fused/chain.h '#pragma once' &&
        write tree/framework/ops/fused/chain.c '#include "ops/ops.h"' 'int chain, hk_chain;' &&
        write tree/models/net.c '#include <hillock/tensor.h>' '#include "core/base.h"' &&
        write tree/plugins/activations/relu.c '#include "core/base.h"' &&
        write tree/tools/page/page.c '#include "core/base.h"' 'int page_n, tool_n;' &&
        write tree/tools/page/deep/page.c 'int page_deep;' || return
    local file
    for file in framework/{core/base,ops/fused/chain} tools/page/page tools/page/deep/page; do
        mkdir -p "objects/CMakeFiles/hillock.dir/${file%/*}" &&
            "${CC:-cc}" -c -Itree/framework -Itree/framework/include \
                "tree/$file.c" -o "objects/CMakeFiles/hillock.dir/$file.c.o" || return
    done
}

# The lines on standard input, in any order.
finds() # COMMAND...
{
    sort >expected
    "$@" | sort | diff - expected
}

faults_are_found()
{
    make_tree && finds upward_includes tree <<'END' && finds circles tree <<'END2' &&
upward: framework/ops/ops.h includes framework/ops/fused/chain.h
upward: models/net.c includes framework/core/base.h
upward: plugins/activations/relu.c includes framework/core/base.h
END
a circle: framework/ops/fused/chain and framework/ops/ops
END2
        finds foreign_symbols tree objects <<'END3'
foreign: chain in framework/ops/fused/chain.c
foreign: tool_n in tools/page/page.c
END3
}

# ---- Our own

none() # COMMAND...
{
    "$@" >faults
    cat faults
    [ ! -s faults ]
}

there_are_includes_and_symbols()
{
    [ "$(includes "$source" | wc -l)" -gt 500 ] &&
        [ "$(find "$build/CMakeFiles/hillock-commands.dir" -name '*.c.o' | wc -l)" -gt 50 ]
}

run faults_are_found
run there_are_includes_and_symbols
run none upward_includes "$source"
run none circles "$source"
run none foreign_symbols "$source" "$build"
result
