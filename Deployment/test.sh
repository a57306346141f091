#!/usr/bin/env bash
# Checks formatting and schemas, builds everything once, and runs every test.
source "$(dirname "$0")/common.sh"
need libzmq3-dev libsqlite3-dev protobuf-compiler

swift format lint --strict --recursive --parallel Package.swift Sources Tests
bash Protocols/check-schemas.sh
build --build-tests
swift test -c release --skip-build "$@"
