#!/bin/sh
# SPDX-License-Identifier: MIT
#
# setup.sh GROUP... - install the Debian packages that the groups need
#
# Costs one dpkg-query when nothing is missing. Installs as root or through
# sudo; otherwise prints the one line to run and exits 1. A package that brings
# a server does not start or enable it: the machine is left as it was, apart
# from the files.
set -eu

packages() {
    case $1 in
    build) echo meson ninja-build gcc libc6-dev pkg-config libncurses-dev ;;
    run) echo redis-server redis-tools sqlite3 python3 git libfuse3-dev fuse3 ;;
    test) echo libfuse3-dev fuse3 redis-server redis-tools sqlite3 python3 git perl procps g++ valgrind bash ;;
    # What the drop-in malloc is tried on; ./test skips, and says so, what cannot be installed.
    programs) echo nginx-light apache2-utils nodejs postgresql libpython3.11-testsuite xz-utils rsync ;;
    bench) echo libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 redis-server redis-tools sqlite3 python3 fuse2fs ;;
    check) echo libfuse3-dev clang clang-format clang-tidy shellcheck codespell python3 git g++ ;;
    clang) echo clang llvm ;;
    aarch64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static ;;
    *)
        echo "setup.sh: no group '$1' (build run test programs bench check clang aarch64)" >&2
        exit 2
        ;;
    esac
}

want=
for group in "$@"; do
    want="$want $(packages "$group")"
done

# A tool that was installed some other way counts too.
have_tool() {
    case $1 in
    meson | gcc | g++ | git | perl | bash | python3 | sqlite3 | clang | clang-format | clang-tidy | \
        shellcheck | codespell | valgrind | redis-server | pkg-config) command -v "$1" >/dev/null 2>&1 ;;
    ninja-build) command -v ninja >/dev/null 2>&1 ;;
    nginx-light) command -v nginx >/dev/null 2>&1 ;;
    apache2-utils) command -v ab >/dev/null 2>&1 ;;
    nodejs) command -v node >/dev/null 2>&1 ;;
    xz-utils) command -v xz >/dev/null 2>&1 ;;
    postgresql) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
    libpython3.11-testsuite) /usr/bin/python3 -c 'import test.test_list' 2>/dev/null ;;
    *) false ;;
    esac
}

# shellcheck disable=SC2086 # a list of words
installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $want 2>/dev/null || true)"
missing=
for p in $want; do
    case "$installed$missing " in
    *" installed:$p "* | *" $p "*) continue ;;
    esac
    have_tool "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    echo "Packages are missing. Run as root:" >&2
    echo "    $line" >&2
    exit 1
fi
echo "installing:$missing" >&2

# dpkg asks policy-rc.d before it starts a service; 101 is "no".
policy=/usr/sbin/policy-rc.d
made_policy=
undo() { [ -z "$made_policy" ] || $as_root rm -f "$policy"; }
trap undo EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then
    made_policy=1
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

log=$(mktemp)
# $line and $as_root are lists of words.
# shellcheck disable=SC2086
if ! $as_root env DEBIAN_FRONTEND=noninteractive $line >"$log" 2>&1 </dev/null; then
    $as_root apt-get update >>"$log" 2>&1 </dev/null || true
    if ! $as_root env DEBIAN_FRONTEND=noninteractive $line >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "setup.sh: could not install; the line was: $line" >&2
        exit 1
    fi
fi
rm -f "$log"

# Debian starts servers at boot; what is installed as a tool is not to.
for service in redis-server nginx postgresql; do
    case " $missing " in
    *" $service"[\ -]*)
        if command -v systemctl >/dev/null 2>&1; then
            $as_root systemctl disable "$service" >/dev/null 2>&1 || true
        elif command -v update-rc.d >/dev/null 2>&1; then
            $as_root update-rc.d "$service" disable >/dev/null 2>&1 || true
        fi
        ;;
    esac
done
