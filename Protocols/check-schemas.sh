#!/usr/bin/env bash
# Compiles every protobuf schema of this folder. Without protoc it says so and ends well: nothing else needs protoc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v protoc >/dev/null; then
    echo "schemas not checked: protoc was not found (Debian package protobuf-compiler)" >&2
    exit 0
fi
schemas=(*.proto)
for schema in "${schemas[@]}"; do
    protoc --fatal_warnings --proto_path=. --descriptor_set_out=/dev/null "$schema"
done
# Together too: they share one package, so no name may stand in two of them.
protoc --fatal_warnings --proto_path=. --descriptor_set_out=/dev/null "${schemas[@]}"
echo "${#schemas[@]} schemas compile"
