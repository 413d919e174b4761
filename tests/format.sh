#!/bin/bash
# The whole tree obeys .clang-format, as clang-format 14 reads it: others format otherwise.
# usage: format.sh SOURCE-DIRECTORY
for formatter in clang-format-14 clang-format ''; do
    case $("$formatter" --version 2>/dev/null) in
    *' version 14.'*) break ;;
    esac
done
if [ ! "$formatter" ]; then
    echo 'skipped: no clang-format 14'
    exit 77
fi
cd "$1" && find framework models plugins tests tools -name '*.[ch]' -print0 |
    xargs -0 "$formatter" --dry-run -Werror
