# Shared by demo.sh and test.sh: what has to be there, and the one way in which Varde is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Installs the Debian packages that are missing, and says so.
need() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}" >&2
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

if ! command -v swift >/dev/null; then
    echo "Varde needs a Swift toolchain of version 6.2 or newer: 'swift' was not found in PATH" >&2
    exit 1
fi

# One configuration for program, tests and demonstration, so that everything is compiled once.
build() {
    swift build -c release -j 2 "$@"
}
