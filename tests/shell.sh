# tests/shell.sh - check.h for tests in bash: sourced. Gives an empty current folder $work, removed at
# the end; run CASE prints the output of a case that fails; refuses STATUS TEXT COMMAND is a case;
# result ends the program.
set -uo pipefail
exec </dev/null
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
umask 022
# Waiting threads sleep, under gcc and under clang: the processors may be shared with other tests.
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-1000} KMP_BLOCKTIME=${KMP_BLOCKTIME:-0}
passed=0 failed=0 skipped=0

run()
{
    if "$@" >"$work/.output" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $*"
    else
        failed=$((failed + 1))
        cat "$work/.output"
        echo "FAIL $*"
    fi
}

# A failure of the program: this status, one sentence on standard error, which has the text in it, and no
# result. Both outputs are in the files out and err.
refuses() # STATUS TEXT COMMAND...
{
    "${@:3}" >out 2>err
    local status=$?
    cat out err
    [ $status = "$1" ] && [ ! -s out ] && [ "$(grep -c '^hillock: ' err)" = 1 ] && grep -qF -e "$2" err
}

result()
{
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}
