#!/bin/sh
# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# Runs the server and, with a HaRP daemon, frpc beside it; ends when either ends. A signal to stop goes to the server
# first, which then answers what is under way through frpc; frpc goes last.
#
# Every part has a keeper that writes "began <part> <pid>" and "ended <part> <status>" into one pipe. What is written
# there waits to be read, so an end is heard of however early it comes.

set -eu
umask 077

root=${SIPCALL_ROOT:-}
run=$root/run/sipcall
app=$(cd "$(dirname "$0")/../.." && pwd)
config=$run/frpc.toml
events=$run/events

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

# keep <part> <command…>, in the background
keep() {
	part=$1
	shift
	(
		trap '' HUP INT TERM
		status=0
		# The part itself must not hold the pipe, and must not inherit that signals are ignored: env resets them.
		PART=$part sh -c 'printf "began %s %s\n" "$PART" "$$" >&3; unset PART; exec 3>&-; exec env --default-signal=HUP,INT,TERM "$@"' sh "$@" < /dev/null || status=$?
		printf 'ended %s %s\n' "$part" "$status" >&3
	) &
}

stop() {
	is_stopping=yes
	if [ -n "$server" ]; then
		kill -TERM "$server" 2>/dev/null || :
	fi
}

is_stopping=''
server=''
tunnel=''
status=''

rm -f "$events"
mkfifo "$events"
exec 3<> "$events"
trap stop TERM INT HUP

if [ -n "${HP_SHARED_KEY:-}" ]; then
	check_harp_variables
	write_frpc_config
	# frpc gets nothing of the environment: the server's secrets are none of its business.
	keep frpc env -i "PATH=$PATH" frpc -c "$config"
fi
cd "$app"
keep server node lib/main.ts

while [ -z "$status" ]; do
	# A signal may cut the reading short; what was written stays.
	read -r event part value <&3 || continue
	case "$event $part" in
		'began server')
			server=$value
			# The signal came before there was anybody to pass it on to.
			[ -z "$is_stopping" ] || stop
			;;
		'began frpc') tunnel=$value ;;
		'ended frpc')
			tunnel=''
			if [ -z "$is_stopping" ]; then
				say "frpc ended with status $value: Nextcloud can no longer reach the app, so the container ends."
				failure=1
				stop
			fi
			;;
		'ended server')
			[ -n "$is_stopping" ] || say "The server ended with status $value, so the container ends."
			status=${failure:-$value}
			;;
	esac
done

server=''
if [ -n "$tunnel" ]; then
	kill -TERM "$tunnel" 2>/dev/null || :
	(
		sleep 1
		kill -KILL "$tunnel" 2>/dev/null
	) < /dev/null > /dev/null 2>&1 3>&- &
	while [ -n "$tunnel" ]; do
		read -r event part value <&3 || continue
		[ "$event $part" != 'ended frpc' ] || tunnel=''
	done
fi
exit "$status"
