#!/bin/sh
# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# Brings Redis and Chromium from the distribution when they are missing. What cannot be had is named in one line, and
# what needs it does without: this script never fails.

# Debian's redis-tools, unlike redis-server, installs no service that would then run on this machine. Its
# redis-check-rdb is the server program under another name; lib/embedded/redis.ts calls it by the right one.
packages=''
command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null || packages='redis-tools'
# Chromium without its windows is half the size and draws a page in half the time; a system without that package has chromium.
command -v chromium-headless-shell >/dev/null || packages="$packages chromium-headless-shell"

# The unquoted list is meant: words are packages.
# shellcheck disable=SC2086
set -- $packages
[ $# -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root='env'
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root='sudo -n env'
else
	as_root=''
fi

if [ -n "$as_root" ] && command -v apt-get >/dev/null; then
	echo "Installing from the distribution: $*"
	$as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1
	for package; do
		$as_root DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >/dev/null 2>&1
	done
fi

command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null ||
	echo 'Without Redis (package redis-tools or redis-server): PostgreSQL does the counting, and the tests that need Redis are skipped.'
command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null ||
	echo 'Without Chromium (package chromium-headless-shell or chromium): the tests that need a browser are skipped.'
exit 0
