#!/usr/bin/env bash
# Checks formatting and schemas, builds everything once, and runs every test.
source "$(dirname "$0")/common.sh"
need libzmq3-dev libsqlite3-dev protobuf-compiler

swift format lint --strict --recursive --parallel Package.swift Sources Tests
bash Protocols/check-schemas.sh
build --build-tests
if [ $# -gt 0 ]; then
    swift test -c release --skip-build "$@"
    exit
fi
# Whole networks on failing disks and links; ends here where a promise is broken or a kind of fault never came about.
"$(swift build -c release --show-bin-path)/varde" simulate --seeds '0..<2000'
# The store's tests have a process of their own: a store that failed keeps its files open on purpose, hundreds of them in
# the end, and Foundation watches the programs that other tests start by select(), which knows no file above 1 023.
swift test -c release --skip-build --skip '^StoreTests\.'
swift test -c release --skip-build --filter '^StoreTests\.'
