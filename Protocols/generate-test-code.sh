#!/usr/bin/env bash
# Makes the test code of Tests/SchemaTests/Generated anew from the schemas of this folder. Run it after a schema changed;
# its output is committed, so that building needs neither protoc nor the plug-in.
# Needs protoc and protoc-gen-swift (of swift-protobuf, in the version that Package.swift names) in PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
protoc --fatal_warnings --proto_path=. --swift_out=../Tests/SchemaTests/Generated ./*.proto
for file in ../Tests/SchemaTests/Generated/*.pb.swift; do
    sed -i "1a // Made by Protocols/generate-test-code.sh." "$file"
done
