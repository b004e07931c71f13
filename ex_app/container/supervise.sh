#!/bin/sh
# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# Runs the server and, with a HaRP daemon, frpc beside it; ends when either ends. A signal to stop goes to the server
# first, which then answers what is under way through frpc; frpc goes last.
#
# All waiting is done by `wait`: it alone misses no signal that comes just before it. frpc has a keeper that tells this
# shell of its end by USR1.

set -eu
umask 077

root=${SIPCALL_ROOT:-}
run=$root/run/sipcall
app=$(cd "$(dirname "$0")/../.." && pwd)
config=$run/frpc.toml

say() {
	printf 'sipcall: %s\n' "$1" >&2
}

# A TOML string. frpc reads its file as a template too, so a brace must not stand there as itself.
quoted() {
	printf '"'
	printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/{/\\u007B/g' -e 's/}/\\u007D/g'
	printf '"'
}

check_harp_variables() {
	for number in "${HP_FRP_PORT:-}" "${APP_PORT:-}"; do
		case $number in
			'' | *[!0-9]*)
				say 'HP_SHARED_KEY is set, so HP_FRP_PORT and APP_PORT must be numbers. AppAPI sets all of them.'
				exit 78
				;;
		esac
	done
	for text in "$HP_SHARED_KEY" "${HP_FRP_ADDRESS:-}" "${APP_ID:-}"; do
		if [ -z "$text" ] || [ "$(printf '%s' "$text" | tr -d '[:cntrl:]')" != "$text" ]; then
			say 'HP_SHARED_KEY, HP_FRP_ADDRESS and APP_ID must be set and free of control characters. AppAPI sets all of them.'
			exit 78
		fi
	done
}

write_frpc_config() {
	{
		printf 'serverAddr = %s\n' "$(quoted "$HP_FRP_ADDRESS")"
		printf 'serverPort = %s\n' "$HP_FRP_PORT"
		# HaRP may be away for a while: its return needs no restart here.
		printf 'loginFailExit = false\n'
		printf 'transport.tls.enable = true\n'
		# Without certificates (HaRP with TLS switched off, or a first start before they are put down) frps takes an
		# encrypted connection all the same; the shared key below then is at least not readable on the way.
		if [ -f "$run/frp/client.crt" ]; then
			printf 'transport.tls.certFile = %s\n' "$(quoted "$run/frp/client.crt")"
			printf 'transport.tls.keyFile = %s\n' "$(quoted "$run/frp/client.key")"
			printf 'transport.tls.trustedCaFile = %s\n' "$(quoted "$run/frp/ca.crt")"
			printf 'transport.tls.serverName = "harp.nc"\n'
		fi
		printf 'metadatas.token = %s\n\n' "$(quoted "$HP_SHARED_KEY")"
		printf '[[proxies]]\nname = %s\ntype = "tcp"\nremotePort = %s\n' "$(quoted "$APP_ID")" "$APP_PORT"
		printf '[proxies.plugin]\ntype = "unix_domain_socket"\nunixPath = "/tmp/exapp.sock"\n'
	} > "$config.new"
	mv "$config.new" "$config"
}

# until_gone <pid>: leaves its status in $status
until_gone() {
	while :; do
		status=0
		wait "$1" || status=$?
		# A signal ends the waiting too.
		kill -0 "$1" 2>/dev/null || return 0
	done
}

# terminate <pid>: a process that is just being made can lose a signal, so it gets one every second until it is gone
terminate() {
	(
		while kill -TERM "$1" 2>/dev/null; do
			sleep 1
		done
	) < /dev/null > /dev/null 2>&1 &
}

# Passes the first TERM on as it is, and makes a KILL of the second.
keep_frpc() {
	trap '' HUP INT
	tunnel=''
	signal=TERM
	trap '[ -z "$tunnel" ] || kill -"$signal" "$tunnel" 2>/dev/null || :; signal=KILL' TERM
	# frpc gets nothing of the environment: the server's secrets are none of its business.
	env -i "PATH=$PATH" frpc -c "$config" < /dev/null &
	tunnel=$!
	until_gone "$tunnel"
	if [ "$signal" = TERM ]; then
		say "frpc ended with status $status: Nextcloud can no longer reach the app, so the container ends."
		kill -USR1 $$
	fi
}

# Called by the traps alone.
# shellcheck disable=SC2317
stop() {
	if [ -z "$is_stopping" ] && [ -n "$server" ]; then
		terminate "$server"
	fi
	is_stopping=yes
}

is_stopping=''
server=''
keeper=''
status=0
failure=''

trap stop TERM INT HUP
trap 'failure=1; stop' USR1

if [ -n "${HP_SHARED_KEY:-}" ]; then
	check_harp_variables
	write_frpc_config
	keep_frpc &
	keeper=$!
fi

if [ -z "$is_stopping" ]; then
	cd "$app"
	node lib/main.ts < /dev/null &
	server=$!
	# The signal may have come between these two lines.
	[ -z "$is_stopping" ] || terminate "$server"
	until_gone "$server"
	[ -n "$is_stopping" ] || say "The server ended with status $status, so the container ends."
fi
status=${failure:-$status}

if [ -n "$keeper" ]; then
	ended=$status
	is_stopping=yes
	server=''
	terminate "$keeper"
	until_gone "$keeper"
	status=$ended
fi
exit "$status"
