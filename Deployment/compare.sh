#!/usr/bin/env bash
# Measures Varde beside PostgreSQL on this machine, in one run: durable appends, and how fast a second server has
# everything durably that a first one holds. Run it while nothing else does.
#
# Two PostgreSQL servers are made in a temporary folder, listen on loopback, and are gone afterwards; a server that runs
# here already is not touched. PostgreSQL replicates logically, in clear and unsigned; Varde over CURVE, every entry
# hashed and checked against its writer's signature. Durable means: flushed to disk at the second server.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: Deployment/compare.sh [--rows N] [--seconds S] [--json]

  --rows N     rows and entries that the second server fetches (200000)
  --seconds S  seconds of each measurement of appends (5)
  --json       print the figures as JSON
  --varde PATH the program to measure; without it Varde is built first
TEXT
}

rows=200000 seconds=5 json=false varde=
while [ $# -gt 0 ]; do
    case "$1" in
    --rows | --seconds)
        [[ "${2:-}" =~ ^[1-9][0-9]{0,7}$ ]] || { echo "$1 takes a whole number above 0" >&2; exit 1; }
        [ "$1" = --rows ] && rows=$2 || seconds=$2
        shift ;;
    --varde) varde=$(realpath "${2:?--varde takes a path}"); shift ;;
    --json) json=true ;;
    --help | -h) usage; exit ;;
    *) usage >&2; exit 1 ;;
    esac
    shift
done

if [ -z "$varde" ]; then
    source "$(dirname "$0")/common.sh"
    need libzmq3-dev libsqlite3-dev
    build --product varde >&2
    varde=$PWD/.build/release/varde
fi

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$programs" ] || programs=$(dirname "$(command -v initdb || true)")
for program in initdb pg_ctl psql pgbench; do
    if ! [ -x "$programs/$program" ] && ! command -v "$program" >/dev/null; then
        echo "'$program' of PostgreSQL was not found: install the packages postgresql and postgresql-contrib" >&2
        exit 1
    fi
done
PATH=$programs:$PATH

# PostgreSQL refuses to run as root.
account=()
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || { echo "there is no account 'postgres' to run PostgreSQL under" >&2; exit 1; }
    account=(runuser -u postgres --)
fi

folder=$(mktemp -d)
running=()
clean() {
    for name in "${running[@]}"; do
        "${account[@]}" pg_ctl -D "$folder/pg/$name" -m immediate stop >/dev/null 2>&1 || true
    done
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 130' INT TERM
chmod 755 "$folder"
mkdir -m 700 "$folder/pg"
[ ${#account[@]} -eq 0 ] || chown postgres "$folder/pg"

note() { [ ! -t 2 ] || printf '\r\033[2K%s' "$1" >&2; }
now() { date +%s.%N; }

# A port of loopback, below those that the system gives out, at which nobody listens.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

# start NAME: a server with room to work. Durability is left as PostgreSQL ships it: fsync and synchronous_commit are on.
start() {
    local port
    note "starting PostgreSQL: $1"
    "${account[@]}" initdb -D "$folder/pg/$1" -A trust -U compare --no-sync >"$folder/initdb.log" 2>&1 ||
        { cat "$folder/initdb.log" >&2; exit 1; }
    port=$(free_port)
    "${account[@]}" tee -a "$folder/pg/$1/postgresql.conf" >/dev/null <<CONFIGURATION
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder/pg'
wal_level = logical
shared_buffers = 512MB
max_wal_size = 16GB
checkpoint_timeout = 30min
max_connections = 100
autovacuum = off
CONFIGURATION
    "${account[@]}" pg_ctl -D "$folder/pg/$1" -l "$folder/pg/$1.log" -w start >/dev/null ||
        { cat "$folder/pg/$1.log" >&2; exit 1; }
    running+=("$1")
    printf -v "port_$1" %s "$port"
}

# Through the socket, which is the shortest way to PostgreSQL. sql NAME, then as psql.
sql() {
    local port="port_$1"
    shift
    "${account[@]}" psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$folder/pg" -p "${!port}" -U compare -d postgres "$@"
}

rate() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%.0f", n / (b - a) }'; }

start first
start second
server=$(sql first -c 'SHOW server_version')
# About 300 bytes a row, the size of the entries it is held against. Random, for nothing here shall be compressed.
table='CREATE TABLE entry (id bigint PRIMARY KEY, body bytea NOT NULL)'
for name in first second; do
    sql "$name" -c "$table" -c 'CREATE SEQUENCE number'
done
bytes=300
sql first -c "CREATE FUNCTION body() RETURNS bytea LANGUAGE sql VOLATILE AS
    \$\$ SELECT decode(string_agg(md5(random()::text), ''), 'hex') || '\\x000000000000000000000000'::bytea
        FROM generate_series(1, 18) \$\$"
# Made once and copied from, so that drawing random bytes is no part of any measurement.
sql first -c "CREATE TABLE source AS SELECT n AS id, body() AS body FROM generate_series(1, 1000) n" \
    -c 'CREATE PUBLICATION entries FOR TABLE entry'
measured=$(sql first -c 'SELECT round(avg(length(body))) FROM source')
[ "$measured" -eq "$bytes" ] || { echo "rows of $measured bytes, not $bytes" >&2; exit 1; }

subscribe() { # subscribe OPTIONS
    sql second -c "CREATE SUBSCRIPTION entries CONNECTION
        'host=127.0.0.1 port=$port_first user=compare dbname=postgres' PUBLICATION entries WITH ($1)" 2>/dev/null
}
forget() {
    sql second -c 'DROP SUBSCRIPTION entries' -c 'TRUNCATE entry' 2>/dev/null
    sql first -c 'TRUNCATE entry'
}
complete() {
    local count
    count=$(sql second -c 'SELECT count(*) FROM entry')
    [ "$count" -eq "$rows" ] || { echo "the second server has $count of $rows rows" >&2; exit 1; }
}

# until_durable CONDITION: waits until it holds at the second server, and then for the disk: a commit that waits for its
# flush has everything before it flushed too. PostgreSQL itself flushes what it replicates within 200 ms.
until_durable() {
    sql second -c "DO \$\$ BEGIN LOOP EXIT WHEN $1; PERFORM pg_sleep(0.002); COMMIT; END LOOP; END \$\$" \
        -c "SELECT pg_logical_emit_message(true, '', '')" >/dev/null
}

# How a new subscriber gets what was there before.
note "PostgreSQL: initial copy of $rows rows"
fill="INSERT INTO entry SELECT n, body FROM generate_series(1, $rows) n JOIN source ON source.id = 1 + n % 1000"
sql first -c "$fill" -c CHECKPOINT
begin=$(now)
subscribe 'copy_data = true'
until_durable "(SELECT bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel)"
end=$(now)
complete
copy=$(rate "$rows" "$begin" "$end")
forget

# caught_up: enables the subscription and waits until the second server has everything. Transactions are applied in their
# order, so the last row comes last.
caught_up() {
    local begin end
    sql first -c CHECKPOINT
    begin=$(now)
    sql second -c 'ALTER SUBSCRIPTION entries ENABLE'
    until_durable "EXISTS (SELECT FROM entry WHERE id = $rows)"
    end=$(now)
    complete
    rate "$rows" "$begin" "$end"
}

note "PostgreSQL: replicating $rows rows of one transaction"
subscribe 'copy_data = false, enabled = false'
# Created disabled, it has its slot already, so nothing that is written from here on is lost to it.
sql first -c "$fill"
bulk=$(caught_up)
sql second -c 'ALTER SUBSCRIPTION entries DISABLE'
forget

note "PostgreSQL: replicating $rows transactions of one row"
subscribe 'copy_data = false, enabled = false'
# Only the filling does without fsync.
sql first -c 'SET synchronous_commit = off' -c "DO \$\$ BEGIN FOR n IN 1..$rows LOOP
    INSERT INTO entry SELECT n, body FROM source WHERE id = 1 + n % 1000; COMMIT; END LOOP; END \$\$"
single=$(caught_up)
sql second -c 'ALTER SUBSCRIPTION entries DISABLE'
forget
sql first -c 'DROP PUBLICATION entries'

"${account[@]}" tee "$folder/pg/append.sql" >/dev/null <<SQL
INSERT INTO entry VALUES (nextval('number'), decode(repeat(md5(:client_id::text), $((bytes / 16))), 'hex'));
SQL
append() { # append CLIENTS
    note "PostgreSQL: appending with $1 clients"
    sql first -c 'TRUNCATE entry' -c CHECKPOINT
    "${account[@]}" pgbench -n -M prepared -f "$folder/pg/append.sql" -c "$1" -j "$(($1 > 1 ? 2 : 1))" -T "$seconds" \
        -h "$folder/pg" -p "$port_first" -U compare postgres 2>/dev/null |
        awk '/^tps = / { printf "%.0f", $3 }'
}
append_1=$(append 1)
append_64=$(append 64)

for name in first second; do "${account[@]}" pg_ctl -D "$folder/pg/$name" -m fast -w stop >/dev/null; done
running=()

note "Varde: appending and catching up with $rows entries"
"$varde" bench --json --entries "$rows" --seconds "$seconds" --samples 100 --rebuild-values 0 --http-participants 0 \
    --dir "$folder/varde" >"$folder/varde.json"
figure() { # figure NUMBER KEY: the number-th value of a key in what Varde measured
    sed -n "s/^ *\"$2\" : \([0-9.]*\),\{0,1\}\$/\1/p" "$folder/varde.json" | sed -n "$1p" | awk '{ printf "%.0f", $1 }'
}
# The appends stand first, in the order of their writers; then what was caught up with, small entries before forms.
varde_1=$(figure 1 entriesPerSecond)
varde_64=$(figure 2 entriesPerSecond)
caught=$(figure 3 entriesPerSecond)
caught_bytes=$(figure 3 bytesPerEntry)
processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1)
note ""

if $json; then
    cat <<JSON
{
  "machine" : { "processor" : "$processor", "processors" : $(nproc), "kernel" : "$(uname -r)" },
  "postgresql" : {
    "version" : "$server", "bytesPerRow" : $bytes, "rows" : $rows,
    "initialCopyRowsPerSecond" : $copy,
    "oneTransactionRowsPerSecond" : $bulk,
    "rowByRowRowsPerSecond" : $single,
    "appendsPerSecond1" : $append_1,
    "appendsPerSecond64" : $append_64
  },
  "varde" : {
    "bytesPerEntry" : $caught_bytes, "entries" : $rows,
    "catchUpEntriesPerSecond" : $caught,
    "appendsPerSecond1" : $varde_1,
    "appendsPerSecond64" : $varde_64
  }
}
JSON
    exit
fi
line() { printf '%-58s %12s %12s %7s\n' "$1" "$2" "$3" "$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.2f", b / a }')"; }
printf '%s, %s processors, Linux %s; rows of %s bytes, entries of %s\n\n' \
    "$processor" "$(nproc)" "$(uname -r)" "$bytes" "$caught_bytes"
printf '%-58s %12s %12s %7s\n' "each second" "PostgreSQL" "Varde" "ratio"
printf '%-58s %12s\n' "" "$server" | sed 's/ (.*//'
line "caught up, durable; PostgreSQL: all in one transaction" "$bulk" "$caught"
line "  PostgreSQL: a transaction for every row" "$single" "$caught"
line "  PostgreSQL: initial copy of a table" "$copy" "$caught"
line "durable appends, 1 client" "$append_1" "$varde_1"
line "durable appends, 64 clients" "$append_64" "$varde_64"
cat <<'TEXT'

PostgreSQL's clients reach it through a socket (pgbench, prepared statements), Varde's appends are measured in its own
process ('varde bench'). PostgreSQL replicates in clear and unsigned, Varde encrypted and verified entry by entry.
TEXT
