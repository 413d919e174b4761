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
    kernel.h | maths.h | moments.h) continue ;;
    esac
    if command -v "$cpp" >/dev/null; then
        run "$cpp" -std=c++11 $strict $includes -x c++ /dev/null
        run "$cpp" -std=c++20 $strict $includes -x c++ /dev/null
    else
        echo "skipped: no C++ compiler for $name"
        skipped=$((skipped + 1))
    fi
done

# Named arguments in C++20.
echo '#include <hillock/hillock.h>
hk_tensor *layer(hk_tensor *x) { return hk_conv_with({.x = x, .filters = 16, .kernel = 3}); }' >named.cpp
command -v "$cpp" >/dev/null && run "$cpp" -std=c++20 $strict -Wno-missing-field-initializers \
    "-I$source/framework/include" named.cpp
result
