#!/bin/sh
# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# Asks /heartbeat the way Nextcloud will reach it: through the socket with a HaRP daemon, else by TCP. Node is the one
# program in the image that speaks HTTP to both.

unset NODE_EXTRA_CA_CERTS NODE_OPTIONS

# The quotes are meant: what follows is JavaScript.
# shellcheck disable=SC2016
exec node --input-type=commonjs -e '
	const { APP_HOST, APP_PORT, HP_SHARED_KEY, SIPCALL_ROOT = "" } = process.env
	// An address to listen on is not always one to connect to.
	const host = { "": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1" }[APP_HOST ?? ""] ?? APP_HOST
	const place = HP_SHARED_KEY ? { socketPath: `${SIPCALL_ROOT}/tmp/exapp.sock` } : { host, port: APP_PORT }
	const fail = (reason) => {
		console.error(reason)
		process.exit(1)
	}
	setTimeout(() => fail("/heartbeat does not answer"), 4000)
	require("node:http").get({ ...place, path: "/heartbeat" }, (response) => {
		let body = ""
		response.setEncoding("utf8")
		response.on("data", (text) => {
			body += text
		})
		response.on("end", () => {
			const isOk = response.statusCode === 200 && /^\{\s*"status":\s*"ok"\s*\}$/.test(body)
			isOk ? process.exit(0) : fail(`/heartbeat answers ${response.statusCode}`)
		})
	}).on("error", ({ code }) => fail(`/heartbeat cannot be reached: ${code}`))
'
