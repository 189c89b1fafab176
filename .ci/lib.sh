# shellcheck shell=bash
# Shared by the scripts beside it, which source it. Messages go to stderr: stdout is for answers.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cargo_home=${CARGO_HOME:-${HOME:-}/.cargo}

# A shell that was open before rustup was installed does not have its folder in PATH.
if ! command -v cargo >/dev/null && [ -x "$cargo_home/bin/cargo" ]; then
    export PATH="$cargo_home/bin:$PATH"
fi

say() { printf '%s\n' "$*" >&2; }

# Where everyone's cache should be; it may not exist, or not be writable.
wanted_cache() {
    local dir=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    dir=${USHER_CACHE:-${dir:+$dir/usher}}
    case $dir in
        '') echo "$root/target/cache" ;;
        /*) echo "$dir" ;;
        *) echo "$root/$dir" ;; # build scripts run in folders of their own: a relative path would be lost
    esac
}

# The cache if it can be written to, else a folder of the checkout.
writable_cache() {
    local dir
    dir=$(wanted_cache)
    if ! { mkdir -p "$dir" && [ -w "$dir" ]; } 2>/dev/null; then
        dir=$root/target/cache
        mkdir -p "$dir"
    fi
    echo "$dir"
}

# The first rate in the report of `usher bench --output json`, which is read from standard input.
commands_per_second() {
    grep -oE '"commands_per_second": ?[0-9.]+' | head -n 1 | grep -oE '[0-9.]+$'
}

# The program as the tests have it: built by itself, with fewer features of its dependencies, all of it would be compiled once more.
tested_usher() {
    "$root/.ci/cargo" test --quiet --workspace --test reasons --no-run >&2
    echo "${CARGO_TARGET_DIR:-$root/target}/debug/usher"
}
