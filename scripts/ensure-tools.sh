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
# Chromium without its windows draws a page in half the time. It is fetched beside the whole browser only where the system is
# known to have it: else each run would look for it anew.
has_browser() { command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null; }
if ! command -v chromium-headless-shell >/dev/null; then
	if ! has_browser || apt-cache show chromium-headless-shell >/dev/null 2>&1; then
		packages="$packages chromium-headless-shell"
	fi
fi

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
	fetch_package() { $as_root DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$1" >/dev/null 2>&1; }
	for package; do
		fetch_package "$package"
	done
	# Older systems have only the whole browser.
	has_browser || fetch_package chromium
fi

command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null ||
	echo 'Without Redis (package redis-tools or redis-server): PostgreSQL does the counting, and the tests that need Redis are skipped.'
has_browser ||
	echo 'Without Chromium (package chromium-headless-shell or chromium): the tests that need a browser are skipped.'
exit 0
