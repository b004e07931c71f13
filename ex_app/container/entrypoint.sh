#!/bin/sh
# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# What the container begins with. As root: hands the volume to the user `sipcall`, gives that user its own copy of the
# certificates that HaRP has put down, then becomes that user for good. As anybody else: only checks. It may run any
# number of times and be killed at any point: a first deploy starts, stops and starts the container.

set -eu
umask 077

# Goes before every absolute path; empty in the image.
root=${SIPCALL_ROOT:-}
user=${SIPCALL_USER:-sipcall}
run=$root/run/sipcall
certificates=$root/certs/frp
here=$(cd "$(dirname "$0")" && pwd)

fail() {
	printf 'sipcall: %s\n' "$1" >&2
	exit 73
}

# A container that restarts keeps the last run's files: each start makes them anew.
prepare_run_folder() {
	if ! mkdir -p "$run" || ! chmod 700 "$run"; then
		fail "The folder $run cannot be made. Start the image as root, or mount a folder there that user id $(id -u) owns."
	fi
	rm -rf "$run/frp" "$run/frpc.toml" "$root/tmp/exapp.sock"
	# HaRP makes the folder first and fills it later: only a complete set counts.
	if [ -f "$certificates/client.crt" ] && [ -f "$certificates/client.key" ] && [ -f "$certificates/ca.crt" ]; then
		mkdir "$run/frp"
		cp "$certificates/client.crt" "$certificates/client.key" "$certificates/ca.crt" "$run/frp/" ||
			fail "The certificates in $certificates cannot be read by user id $(id -u)."
	fi
}

if [ "$(id -u)" != 0 ]; then
	prepare_run_folder
	exec "$here/supervise.sh"
fi

uid=$(id -u "$user") || fail "There is no user $user."
gid=$(id -g "$user")
[ "$uid" != 0 ] || fail "The user $user is root, and SIPCall does not run as root."

prepare_run_folder
chown -R "$uid:$gid" "$run"

if [ -n "${APP_PERSISTENT_STORAGE:-}" ]; then
	(umask 022 && mkdir -p "$APP_PERSISTENT_STORAGE") || fail "The volume $APP_PERSISTENT_STORAGE cannot be made."
	[ "$(cd "$APP_PERSISTENT_STORAGE" && pwd -P)" != / ] || fail 'APP_PERSISTENT_STORAGE is the root folder. Name a folder of its own.'
	# One by one, so a hand-over that was cut short goes on where it stopped. Links are changed themselves, never followed.
	find "$APP_PERSISTENT_STORAGE" -xdev \( ! -uid "$uid" -o ! -gid "$gid" \) -exec chown -h "$uid:$gid" {} + ||
		fail "The volume $APP_PERSISTENT_STORAGE cannot be handed to user $user. It must allow chown, or already belong to user id $uid."
fi

HOME=$run
export HOME
exec setpriv --reuid "$uid" --regid "$gid" --init-groups --inh-caps=-all --no-new-privs "$here/supervise.sh"
