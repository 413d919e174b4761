#!/bin/bash
# Installs into an empty prefix, moves it, and uses it from outside: the tool, the
# headers, a program by pkg-config and one by find_package.
# usage: install.sh BUILD SOURCE
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
build=$1 source=$2
prefix=$work/moved
generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build/CMakeCache.txt")
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt") # its OpenMP is linked

cmake --install "$build" --prefix "$work/first" >install.log || cat install.log
mv "$work/first" "$prefix"
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name hillock.pc)")

the_tool_finds_its_plugins()
{
    ls "$prefix/lib/hillock/plugins-0/relu.so" && "$prefix/bin/hillock" curve relu -1 2 >curve &&
        printf -- '-1\t0\t0\n2\t2\t1\n' | diff - curve &&
        "$prefix/bin/hillock" inspect relu | grep -F "$prefix/"
}

# A program in the prefix's bin has its plugins beside it, as the tool has.
pkg_config_is_enough()
{
    cc "$source/tests/examples/own_loop.c" -o "$prefix/bin/by_pkg_config" \
        $(pkg-config --cflags --libs hillock) && "$prefix/bin/by_pkg_config" | grep '^loss 0.0'
}

find_package_is_enough()
{
    mkdir outside && cp "$source/tests/examples/own_loop.c" outside/ &&
        cat >outside/CMakeLists.txt <<'END' &&
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C)
find_package(Hillock REQUIRED)
add_executable(by_find_package own_loop.c)
target_link_libraries(by_find_package PRIVATE Hillock::hillock)
END
        cmake -S outside -B outside/build -G "$generator" -DCMAKE_PREFIX_PATH="$prefix" \
            -DCMAKE_C_COMPILER="$compiler" -DCMAKE_RUNTIME_OUTPUT_DIRECTORY="$prefix/bin" >cmake.log &&
        cmake --build outside/build >>cmake.log &&
        "$prefix/bin/by_find_package" | grep '^loss 0.0'
}

# Each header compiles alone, with no other of ours before it.
headers_stand_alone()
{
    local header
    for header in "$prefix"/include/hillock/*.h; do
        echo "#include <hillock/$(basename "$header")>" >alone.c
        cc -std=c11 -Wall -Wextra -Werror -I"$prefix/include" -c alone.c || return 1
    done
}

the_manual_is_installed()
{
    grep -q '^.TH HILLOCK 1' "$prefix/share/man/man1/hillock.1"
}

run the_tool_finds_its_plugins
run pkg_config_is_enough
run find_package_is_enough
run headers_stand_alone
run the_manual_is_installed
result
