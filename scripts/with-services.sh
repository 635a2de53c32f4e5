#!/usr/bin/env bash
# Runs a command with a PostgreSQL server and a PgBouncer of its own, and with Redis, nginx, Caddy, Chromium, Node.js, Python's
# frameworks and on Debian Postfix at hand:
#
#   scripts/with-services.sh go test ./...
#
# The command finds them in TEST_POSTGRES_URL, TEST_PGBOUNCER_URL and CHROMIUM. The servers listen on free ports of 127.0.0.1, keep
# everything in one temporary directory, and are gone when the command ends.
set -euo pipefail

# A user's own PG* settings would lead initdb, psql and the tests to another server.
unset PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGOPTIONS PGSSLMODE \
	PGDATA PGTZ PGCLIENTENCODING PGAPPNAME PGCONNECT_TIMEOUT PGTARGETSESSIONATTRS

say() { printf 'with-services: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ $# -gt 0 ] || die 'usage: scripts/with-services.sh COMMAND...'

# pg_bin prints the directory of the newest PostgreSQL 13+ that has server binaries, or nothing.
pg_bin() {
	local dir version best='' best_version=12 found
	found=$(command -v initdb || true)
	for dir in ${found:+"${found%/*}"} /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
		/opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
		if ! [ -x "$dir/initdb" ] || ! [ -x "$dir/pg_ctl" ] || ! [ -x "$dir/postgres" ]; then continue; fi
		version=$("$dir/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
		if [ "${version:-0}" -gt "$best_version" ]; then
			best=$dir best_version=$version
		fi
	done
	printf '%s' "$best"
}

# pgbouncer_bin prints the path of pgbouncer, which many systems keep out of a user's PATH, or nothing.
pgbouncer_bin() {
	PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin command -v pgbouncer || true
}

# chromium_bin prints the path of Chromium or of a browser that is made from it, or nothing.
chromium_bin() {
	local name
	if [ -n "${CHROMIUM:-}" ]; then
		command -v "$CHROMIUM" || true
		return
	fi
	for name in chromium chromium-browser google-chrome google-chrome-stable \
		'/Applications/Chromium.app/Contents/MacOS/Chromium' '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
		if command -v "$name"; then return; fi
	done
}

# python_has is true where a Python, the user's own or the system's, has all of these modules.
python_has() {
	local name modules
	modules=$(printf ', %s' "$@")
	for name in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3; do
		if "$name" -c "import ${modules#, }" 2>/dev/null; then return; fi
	done
	return 1
}

# missing prints the packages that are still needed; but for those of Python their names are the same on every system named below.
missing() {
	[ -n "$(pg_bin)" ] || echo postgresql
	[ -n "$(pgbouncer_bin)" ] || echo pgbouncer
	[ -n "$(chromium_bin)" ] || echo chromium
	has redis-server || redis_package
	has nginx || echo nginx
	has caddy || echo caddy
	has node || echo nodejs
	has npm || echo npm
	has curl || echo curl # the test of an app that admit init begins
	# Together: one Python has to have them all.
	python_has jwt cryptography fastapi uvicorn httpx flask django || printf 'python3-%s\n' jwt cryptography fastapi uvicorn httpx flask django
	if postfix_wanted; then
		has postfix || echo postfix
		has saslpasswd2 || echo sasl2-bin
		[ -n "$(find /usr/lib -path '*sasl2/libplain.so*' -print -quit 2>/dev/null)" ] || echo libsasl2-modules
	fi
}

# redis_package is what Redis is called: Debian has a package of the server alone.
redis_package() { if command -v apt-get >/dev/null; then echo redis-server; else echo redis; fi; }

# postfix_wanted is true where the test of a real mail server can run: Postfix is started by root alone.
postfix_wanted() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

has() { PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin command -v "$1" >/dev/null; }

how_to_install() {
	say "not found: $(missing | tr '\n' ' ')(PostgreSQL 13 or newer with its server programs, PgBouncer, Redis, nginx, Caddy, Node.js 20 or newer with npm, Chromium or Chrome, and a Python with PyJWT, cryptography, FastAPI, uvicorn, httpx, Flask and Django). Install them with"
	say '  Debian, Ubuntu  sudo apt-get install postgresql pgbouncer redis-server nginx caddy nodejs npm chromium python3-{jwt,cryptography,fastapi,uvicorn,httpx,flask,django}'
	say '  macOS           brew install postgresql@17 pgbouncer redis nginx caddy node && brew install --cask chromium'
	say '  Fedora          sudo dnf install postgresql-server pgbouncer redis nginx caddy nodejs npm chromium'
	say '  Alpine          sudo apk add postgresql pgbouncer redis nginx caddy nodejs npm chromium'
	say "  Python's        pip install 'PyJWT[crypto]' fastapi uvicorn httpx flask django, and PYTHON=that Python"
	die 'or test on SQLite alone: make test-fast'
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_missing() {
	command -v apt-get >/dev/null || how_to_install
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || how_to_install

	# Two runs at once wait for each other: apt fails at once when another holds its package lists.
	exec 9</etc/apt
	flock 9
	local packages try policy=/usr/sbin/policy-rc.d
	packages=$(missing)
	if [ -n "$packages" ]; then
		say "installing ${packages//$'\n'/ and }"
		# The packages would create and start a server of the system's own; the tests want only the programs.
		if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
			as_root mkdir -p /etc/postgresql-common
			echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
		fi
		if [ ! -e "$policy" ]; then
			printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
			as_root chmod 755 "$policy"
			trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
		fi
		for try in 1 2 3; do
			if as_root apt-get update -q >&2 </dev/null; then break; fi
			[ "$try" = 3 ] || sleep 5
		done
		# shellcheck disable=SC2086  # a list of package names
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
			-o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold $packages >&2 </dev/null
		case $packages in
		*pgbouncer* | *redis* | *nginx* | *caddy*) [ ! -d /run/systemd/system ] || as_root systemctl disable pgbouncer redis-server nginx caddy >&2 || true ;;
		esac
		if [ "$(trap -p EXIT)" ]; then
			as_root rm -f "$policy"
			trap - EXIT
		fi
	fi
	exec 9<&-
	[ -z "$(missing)" ] || how_to_install
}

[ -z "$(missing)" ] || install_missing
bin=$(pg_bin)
bouncer=$(pgbouncer_bin)
CHROMIUM=$(chromium_bin)

# Not TMPDIR: the path of a socket may have about 100 bytes, and another user must be able to enter. In memory where there is room: each test makes
# a schema of its own, hundreds of files, which takes three times as long on a disk.
base=/tmp
if [ -w /dev/shm ] && [ "$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 {print $4}')" -gt 4000000 ]; then base=/dev/shm; fi
dir=$(mktemp -d "$base/admit-services.XXXXXX")
child=''

# Neither server runs as root.
server_user=''
if [ "$(id -u)" = 0 ]; then
	server_user=nobody
	if id postgres >/dev/null 2>&1; then server_user=postgres; fi
	chown "$server_user" "$dir"
fi
as_server() (
	cd "$dir"
	if [ -z "$server_user" ]; then
		exec "$@"
	elif command -v setpriv >/dev/null && setpriv --help 2>&1 | grep -q -- --init-groups; then
		exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups "$@"
	elif command -v runuser >/dev/null; then
		exec runuser -u "$server_user" -- "$@"
	else
		# shellcheck disable=SC2016  # expanded by the inner shell
		exec su -s /bin/sh "$server_user" -c 'exec "$0" "$@"' -- "$@"
	fi
)

# stop_pid ends one process that this script started and waits until it is gone: its file goes first, and where the
# system is slow to bury the dead the process still shows.
stop_pid() {
	local pid _
	[ -s "$1" ] || return 0
	pid=$(head -n 1 "$1")
	kill -"$2" "$pid" 2>/dev/null || return 0
	for _ in $(seq 100); do
		if ! [ -e "$1" ] || ! kill -0 "$pid" 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null || true
}

cleanup() {
	local code=$?
	trap '' INT TERM HUP
	trap - EXIT
	if [ "$code" != 0 ] && [ -n "${bouncer_port:-}" ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$bouncer_port") 2>/dev/null; then
		say 'PgBouncer ended before the command did; the last it said:'
		grep -v 'LOG stats' "$dir/pgbouncer.log" "$dir/pgbouncer.err" | tail -n 20 >&2 || true
	fi
	stop_pid "$dir/pgbouncer.pid" TERM
	stop_pid "$dir/data/postmaster.pid" INT # INT is Postgres's fast shutdown: it does not wait for clients
	rm -rf "$dir"
	exit "$code"
}
interrupted() {
	if [ -n "$child" ]; then
		kill -TERM -- "-$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	exit "$1"
}
trap cleanup EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# free_port prints a port nobody answers on, below the range systems hand out to clients. Another program may still
# take it first, so whoever asks tries again.
free_port() {
	local port
	while :; do
		port=$((10240 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

as_server "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 </dev/null ||
	{ cat "$dir/initdb.log" >&2; die 'initdb failed'; }

# Nothing outlives the run, so nothing needs to survive a power cut.
as_server tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
max_connections = 300
fsync = off
full_page_writes = off
max_wal_size = 256MB
CONF

start_postgres() {
	pg_port=$(free_port)
	as_server "$bin/pg_ctl" start -w -s -D "$dir/data" -l "$dir/postgres.log" -o "-p $pg_port" >&2 </dev/null 9<&-
}

start_pgbouncer() {
	local _
	bouncer_port=$(free_port)
	# Every name stands for the database of that name. auth_type any: whoever asks is the one superuser.
	# Without a socket of its own PgBouncer ends when its port is taken, rather than run unreachable.
	as_server tee "$dir/pgbouncer.ini" >/dev/null <<CONF
[databases]
* = host=127.0.0.1 port=$pg_port user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer_port
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 20
server_idle_timeout = 10
log_connections = 0
log_disconnections = 0
logfile = $dir/pgbouncer.log
pidfile = $dir/pgbouncer.pid
CONF
	as_server "$bouncer" -q -d "$dir/pgbouncer.ini" >/dev/null 2>"$dir/pgbouncer.err" </dev/null || return 1
	for _ in $(seq 50); do
		if grep -q "listening on 127.0.0.1:$bouncer_port" "$dir/pgbouncer.log" && kill -0 "$(cat "$dir/pgbouncer.pid")"; then
			return 0
		fi
		sleep 0.1
	done
	stop_pid "$dir/pgbouncer.pid" TERM
	return 1
}

# started runs its command until it works; a port may be lost to another program a few times, not ten.
started() {
	local _
	for _ in $(seq 10); do
		if "$1" 2>>"$dir/start.log"; then return 0; fi
	done
	cat "$dir/start.log" "$dir"/*.err "$dir"/p*.log >&2 2>/dev/null || true
	die "could not $1"
}
started start_postgres
started start_pgbouncer

export TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$pg_port/postgres?sslmode=disable"
if postfix_wanted; then
	export TEST_POSTFIX=1 PATH="$PATH:/usr/sbin:/sbin"
fi
export CHROMIUM
if ! command -v redis-server >/dev/null || ! command -v nginx >/dev/null; then export PATH="$PATH:/usr/sbin:/usr/local/sbin"; fi
export TEST_PGBOUNCER_URL="postgres://postgres@127.0.0.1:$bouncer_port/postgres?sslmode=disable"

if [ -t 0 ]; then
	"$@"
else
	# In a process group of its own, so that a signal to this script can end everything the command has started.
	set -m
	"$@" <&0 &
	child=$!
	set +m
	wait "$child"
fi
