#!/bin/bash
# Every public header compiles alone, as C11 and as C++11 without a warning; those that hold the kernels of
# plugins are C alone.
# usage: headers.sh SOURCE-DIRECTORY
source=$1
. "$source/tests/shell.sh"
strict='-Wall -Wextra -Wpedantic -Werror -fsyntax-only'
c=${CC:-cc} cpp=${CXX:-c++}
for header in "$source"/framework/include/hillock/*.h; do
    name=$(basename "$header")
    includes="-I$source/framework/include -include $header"
    run "$c" -std=c11 $strict $includes -x c /dev/null
    case $name in
    kernel.h | maths.h | moments.h | normal.h) continue ;;
    esac
    if command -v "$cpp" >/dev/null; then
        run "$cpp" -std=c++11 $strict $includes -x c++ /dev/null
        run "$cpp" -std=c++20 $strict $includes -x c++ /dev/null
    else
        echo "skipped: no C++ compiler for $name"
        skipped=$((skipped + 1))
    fi
done

# A plugin in C++, or with the closing line of another kind, is told what to do.
says() # WORDS COMPILER ARGUMENT...
{
    local words=$1
    shift
    ! "$@" "-I$source/framework/include" -fsyntax-only >out 2>&1 && grep -q "$words" out
}
cat >slots.c <<'END'
#include <hillock/kernel.h>
HK_SLOTS({.name = "scale", .doc = "a factor", .role = HK_LEARNED, .value = 1});
HK_VALUE(return a.x;)
HK_SLOPE(return 1;)
HK_ELEMENTWISE(scaled, HK_READS_X, .summary = "x", .source = "none");
END
run says 'HK_SLOTS_needs_HK_ELEMENTWISE_LEARNED' "$c" slots.c
cp slots.c slots.cpp
command -v "$cpp" >/dev/null && run says 'plugins are written in C' "$cpp" slots.cpp

# Named arguments in C++20.
echo '#include <hillock/hillock.h>
hk_tensor *layer(hk_tensor *x) { return hk_conv_with({.x = x, .filters = 16, .kernel = 3}); }' >named.cpp
command -v "$cpp" >/dev/null && run "$cpp" -std=c++20 $strict -Wno-missing-field-initializers \
    "-I$source/framework/include" named.cpp
result
