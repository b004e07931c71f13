// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The other end of the benchmark, a process of its own: an Event Socket that answers at once. `events N` is answered
// with N recorded JSON events, `bgapi` with its reply; every hundredth `bgapi` and all after it lose the socket.

import type { AddressInfo, Socket } from 'node:net'

import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { readRecording } from '../stand-ins/freeswitch/replay.ts'

const RECORDING = 'c2c_b_hangs_up_all_json'

/** How many `bgapi` one connection may send. */
export const BGAPI_OF_A_SOCKET = 100

const FILE = fileURLToPath(import.meta.url)

if (process.argv[1] === FILE) {
	const { server: bytes, frames } = readRecording(RECORDING, undefined)
	const events = frames.filter(({ contentType }) => contentType === 'text/event-json').map(({ start, end }) => bytes.subarray(start, end))

	const server = createServer({ noDelay: true }, (socket) => {
		let rest = ''
		let bgapis = 0
		socket.on('error', () => socket.destroy())
		socket.on('data', (chunk: Buffer) => {
			const commands = (rest + chunk.toString('latin1')).split('\n\n')
			rest = commands.pop() ?? ''
			for (const command of commands) {
				if (command.startsWith('api ')) {
					socket.write('Content-Type: api/response\nContent-Length: 3\n\n+OK')
				} else if (command.startsWith('bgapi ')) {
					bgapis++
					if (bgapis === BGAPI_OF_A_SOCKET) {
						socket.end()
					} else if (bgapis < BGAPI_OF_A_SOCKET / 2) {
						// The other half is never answered.
						socket.write(`Content-Type: command/reply\nReply-Text: +OK Job-UUID: ${bgapis}\nJob-UUID: ${bgapis}\n\n`)
					}
				} else {
					socket.write(`Content-Type: command/reply\nReply-Text: ${command.startsWith('auth ') ? '+OK accepted' : '+OK'}\n\n`)
				}
				if (command.startsWith('events ')) {
					void pour(socket, Number(command.slice('events '.length)))
				}
			}
		})
		socket.write('Content-Type: auth/request\n\n')
	})
	server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
	process.once('disconnect', () => process.exit())

	/** As fast as the client reads. */
	async function pour(socket: Socket, count: number): Promise<void> {
		for (let index = 0; index < count; index++) {
			const event = events[index % events.length]
			if (event !== undefined && !socket.write(event)) {
				await once(socket, 'drain')
			}
		}
	}
}
