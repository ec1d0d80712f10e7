# Set-up shared by ./run and ./test; sourced, not run. Each step looks first and works only where something is missing.
# A step that fails says which one it was, why, and what to do. Nothing outside the clone and $DEN_HOME is touched but by apt.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/.cache
den_home=${DEN_HOME:-${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/den}
log=$cache/setup.log

say() { printf '==> %s\n' "$*" >&2; }

# die STEP REASON REMEDY
die() {
    printf '\n%s: the step "%s" failed\n  why: %s\n  what to do: %s\n' "./${0##*/}" "$1" "$2" "$3" >&2
    exit 1
}

package_names() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"; }

missing_packages() {
    local name
    for name in $(package_names "$@"); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] && continue
        case $name in
        # a program that does the package's work, from elsewhere, is as good
        npm) command -v npm >/dev/null && continue ;;
        cmake) command -v cmake >/dev/null && continue ;;
        ninja-build) command -v ninja >/dev/null && continue ;;
        esac
        printf '%s ' "$name"
    done
}

# install_packages LIST...: Debian packages, with apt as root or through sudo
install_packages() {
    local missing as_root=()
    command -v dpkg-query >/dev/null ||
        die "Debian packages" "this system has no dpkg; Den's set-up knows Debian and its relatives" \
            "install what $* name(s) with your own package manager, then: cmake --preset release && cmake --build --preset release"
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=(sudo)
        else
            die "Debian packages" "these are missing and installing them needs root: $missing" \
                "as root, once: apt-get update && apt-get install -y --no-install-recommends $missing"
        fi
    fi
    say "installing Debian packages: $missing"
    "${as_root[@]}" apt-get update -qq >"$log" 2>&1 ||
        say "apt-get update had trouble (see $log); going on with the lists there are"
    # shellcheck disable=SC2086 # a list of names
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing 2>&1 |
        tee -a "$log" | grep --line-buffered -E '^(Get:|Unpacking|Setting up|E:)' | sed 's/^/    /' >&2
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || die "Debian packages" "still missing: $missing ($(grep -m1 '^E:' "$log" || echo "see $log"))" \
        "check the network and the disk (df -h), then run the same command again"
}

# install_modules [dev]: the page's modules from npm
install_modules() {
    local stamp=$root/web/node_modules/.den-$1 extra=()
    [ "$1" = dev ] || extra=(--omit=dev)
    [ "$stamp" -nt "$root/web/package-lock.json" ] && return
    [ "$1" = page ] && [ "$root/web/node_modules/.den-dev" -nt "$root/web/package-lock.json" ] && return
    say "fetching the page's modules (npm)"
    npm ci --prefix "$root/web" --cache "$cache/npm" --ignore-scripts --no-fund --no-audit "${extra[@]}" >"$log" 2>&1 ||
        die "page modules" "npm ci failed: $(grep -m1 -iE 'err' "$log" || tail -n 1 "$log")" \
            "check the network and the disk, see $log, then run the same command again"
    rm -f "$root"/web/node_modules/.den-*
    touch "$stamp"
}

# install_api_modules: OpenAI's client for Node, which tests/api tries
install_api_modules() {
    local folder=$root/tests/api/node
    [ "$folder/node_modules/.den" -nt "$folder/package-lock.json" ] && return
    say "fetching a client for Node (npm)"
    npm ci --prefix "$folder" --cache "$cache/npm" --ignore-scripts --no-fund --no-audit >"$log" 2>&1 ||
        die "modules of the tests" "npm ci failed: $(grep -m1 -iE 'err' "$log" || tail -n 1 "$log")" \
            "check the network and the disk, see $log, then run the same command again"
    touch "$folder/node_modules/.den"
}

# make_venv: a Python environment inside the clone, for pip
make_venv() {
    [ -x "$cache/venv/bin/python" ] && return
    say "making a Python environment in .cache/venv"
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv" >"$log" 2>&1 ||
        die "Python environment" "$(tail -n 1 "$log")" "check that python3-venv is installed and the disk has room"
}

install_models() {
    local stamp=$cache/models-$(printf '%s' "$den_home" | cksum | tr ' ' -)
    [ "$stamp" -nt "$root/models/catalogue.json" ] && [ -e "$den_home/models/smollm2" ] &&
        [ -e "$den_home/models/all-minilm" ] && return
    make_venv
    say "fetching default models into $den_home/models"
    "$cache/venv/bin/python" "$root/scripts/fetch_models.py" "$den_home/models" >&2 ||
        die "default models" "see the message above" "run the same command again; what was fetched whole is kept"
    touch "$stamp"
}

# Nothing that the build reads is newer than the start of the last whole build.
is_built() {
    [ -x "$root/build/$1/den" ] && [ -e "$root/build/$1/.den-built" ] &&
        [ -z "$(cd "$root" && find CMakeLists.txt CMakePresets.json cmake src models web -path web/node_modules -prune -o \
            -type f -newer "build/$1/.den-built" -print -quit 2>/dev/null)" ]
}

# build PRESET [TARGET]: everything, or one target
build() {
    local preset=$1 started=$cache/build-started
    shift
    touch "$started"
    say "building ($preset)"
    (cd "$root" && cmake --preset "$preset") >"$log" 2>&1 ||
        die "configuring the build" "$(grep -m1 -A3 'CMake Error' "$log" | tr '\n' ' ' || tail -n 1 "$log")" "see $log"
    (cd "$root" && cmake --build --preset "$preset" ${1:+--target "$1"}) 2>&1 | tee -a "$log" |
        show_build_progress >&2
    [ "${PIPESTATUS[0]}" = 0 ] || { grep -m 5 -E 'error|FAILED' "$log" >&2
        die "building" "the compiler reported an error (above)" "see $log; if the disk is full, make room and run it again"; }
    touch -r "$started" "$root/build/$preset/.den-built"
}

# On a terminal one line that moves; elsewhere every fiftieth step.
show_build_progress() {
    if [ -t 2 ]; then
        grep --line-buffered -oE '^\[[0-9]+/[0-9]+\]' | while read -r step; do printf '\r    %s ' "$step"; done
        printf '\n'
    else
        grep --line-buffered -oE '^\[[0-9]*[05]0/[0-9]+\]' | sed -u 's/^/    /'
    fi
    return 0
}
