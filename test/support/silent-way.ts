// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AddressInfo, Socket } from 'node:net'

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Client } from 'pg'

export interface SilentWay {
	/** The same database over this way. */
	url: string
	/** From now on nothing passes, and no connection ends: the server’s machine has stopped. */
	hush: () => void
	/** What was sent meanwhile arrives. */
	goOn: () => void
	stop: () => Promise<void>
}

/** A way over TCP to a PostgreSQL that listens on a Unix socket. */
export async function silentWayTo(databaseUrl: string): Promise<SilentWay> {
	// pg's own reading of the URL.
	const { host, port, user = '', password, database } = new Client({ connectionString: databaseUrl })
	const sockets = new Set<Socket>()
	let isSilent = false
	const keep = (socket: Socket) => {
		sockets.add(socket)
		socket.on('error', () => {})
		socket.on('close', () => sockets.delete(socket))
	}
	const server = createServer((client) => {
		const upstream = connect(`${host}/.s.PGSQL.${port}`)
		for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
			keep(from)
			// Not by pipe(): it would go on by itself once the other side can take more.
			from.on('data', (bytes) => to.write(bytes))
			from.on('close', () => to.destroy())
			if (isSilent) {
				from.pause()
			}
		}
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return {
		url: `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(typeof password === 'string' ? password : '')}@127.0.0.1:${(server.address() as AddressInfo).port}/${database}`,
		hush: () => {
			isSilent = true
			sockets.forEach((socket) => socket.pause())
		},
		goOn: () => {
			isSilent = false
			sockets.forEach((socket) => socket.resume())
		},
		stop: async () => {
			sockets.forEach((socket) => socket.destroy())
			server.close()
			await once(server, 'close')
		},
	}
}
