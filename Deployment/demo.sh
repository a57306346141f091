#!/usr/bin/env bash
# Builds Varde and starts a national network on this machine, with a trial in it. Options are those of 'varde demo'.
source "$(dirname "$0")/common.sh"
need libzmq3-dev libsqlite3-dev
build --product varde >&2
exec .build/release/varde demo "$@"
