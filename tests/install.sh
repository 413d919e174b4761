#!/bin/bash
# Installs into an empty prefix, moves it, and uses it from outside: the tool, the headers, the shared
# library by pkg-config, find_package and dlopen, the archive.
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
    ls "$prefix/lib/hillock/plugins-1/relu.so" && "$prefix/bin/hillock" curve relu -1 2 >curve &&
        printf -- '-1\t0\t0\n2\t2\t1\n' | diff - curve &&
        "$prefix/bin/hillock" inspect relu | grep -F "$prefix/"
}

# The library finds its plugins beside itself, wherever the program is.
pkg_config_is_enough()
{
    cc "$source/tests/examples/own_loop.c" -o by_pkg_config $(pkg-config --cflags --libs hillock) &&
        ./by_pkg_config | grep '^loss 0.0' &&
        strace -fe trace=openat ./by_pkg_config 2>&1 | grep "$prefix/lib.*/hillock/plugins-1/tanh.so" ||
        ! command -v strace
}

library=$(find "$prefix" -name 'libhillock.so.*.*.*')

the_library_shows_hk_alone()
{
    readelf -d "$library" | grep -E 'SONAME.*libhillock.so.[0-9.]+]' &&
        nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' >shown &&
        ! grep -v '^hk_' shown && sed 's/@.*//' shown | sort >names && cat "$prefix"/include/hillock/*.h |
        grep -v '^#define' | grep -oE '\bhk_[a-z0-9_]+\(' | tr -d '(' | sort -u >declared || return 1
    comm -23 names declared | tee undeclared
    [ ! -s undeclared ] && [ "$(wc -l <names)" -gt 150 ]
}

# As an interpreter does: nothing of it is in the global scope, yet its models find their functions.
dlopen_is_enough()
{
    cat >opens.c <<'END' && cc opens.c -o opens -ldl && ./opens "$library"
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
typedef struct { const char *specs[4]; unsigned long seed; long floats; int zero; } choices;
int main(int argc, char **argv)
{
    void *it = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *(*create)(choices) = it ? (void *(*)(choices))dlsym(it, "hk_net_create") : NULL;
    void *(*build)(void *, const char *, int, int, int, int) =
        it ? (void *(*)(void *, const char *, int, int, int, int))dlsym(it, "hk_model_build") : NULL;
    const char *(*message)(void) = it ? (const char *(*)(void))dlsym(it, "hk_message") : NULL;
    const choices none = {{NULL}};
    if (!create || !build || !message)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    if (!build(create(none), "densenet", 32, 32, 3, 10))
        return fprintf(stderr, "%s\n", message()), 1;
    return 0;
}
END
}

the_archive_is_there_too()
{
    cc "$source/tests/examples/own_loop.c" -o "$prefix/bin/by_archive" -I"$prefix/include" \
        $(find "$prefix" -name libhillock.a) $(pkg-config --static --libs-only-l hillock | sed 's/-lhillock//') \
        $(pkg-config --static --libs-only-other hillock) && "$prefix/bin/by_archive" | grep '^loss 0.0'
}

from_cpp()
{
    ! command -v c++ || { c++ -std=c++11 "$source/tests/examples/from_cpp.cpp" -o from_cpp \
        $(pkg-config --cflags --libs hillock) && ./from_cpp; }
}

find_package_is_enough()
{
    mkdir outside && cp "$source/tests/examples/own_loop.c" outside/ &&
        cat >outside/CMakeLists.txt <<'END' &&
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C)
find_package(Hillock 0.2 REQUIRED COMPONENTS static)
add_executable(by_find_package own_loop.c)
target_link_libraries(by_find_package PRIVATE Hillock::hillock)
add_executable(by_static own_loop.c)
target_link_libraries(by_static PRIVATE Hillock::hillock-static)
END
        cmake -S outside -B outside/build -G "$generator" -DCMAKE_PREFIX_PATH="$prefix" \
            -DCMAKE_C_COMPILER="$compiler" -DCMAKE_RUNTIME_OUTPUT_DIRECTORY="$prefix/bin" >cmake.log &&
        cmake --build outside/build >>cmake.log &&
        "$prefix/bin/by_find_package" | grep '^loss 0.0' && "$prefix/bin/by_static" | grep '^loss 0.0' &&
        sed 's/Hillock 0.2/Hillock 0.1/' outside/CMakeLists.txt >older && mv older outside/CMakeLists.txt &&
        ! cmake -S outside -B outside/build >cmake.log 2>&1 && grep 'compatible with requested version' cmake.log
}

# The same name in a tree that contains this one; configuring says whether it is there.
add_subdirectory_is_enough()
{
    mkdir inside && cp "$source/tests/examples/own_loop.c" inside/ && cat >inside/CMakeLists.txt <<END &&
cmake_minimum_required(VERSION 3.25)
project(inside LANGUAGES C)
add_subdirectory($source hillock)
add_executable(program own_loop.c)
target_link_libraries(program PRIVATE Hillock::hillock)
END
        cmake -S inside -B inside/build -G "$generator" -DCMAKE_C_COMPILER="$compiler" >cmake.log 2>&1 || {
        cat cmake.log && return 1
    }
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
run the_library_shows_hk_alone
run dlopen_is_enough
run the_archive_is_there_too
run from_cpp
run find_package_is_enough
run add_subdirectory_is_enough
run headers_stand_alone
run the_manual_is_installed
result
