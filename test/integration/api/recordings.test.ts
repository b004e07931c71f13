// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The recordings once more, through the whole sidecar: a peer that knows nothing but the recorded bytes takes the
// originate, puts our uuids in the place of the recorded ones, and plays what the real switch sent.

import type { Socket } from 'node:net'
import type { Recording } from '../../stand-ins/freeswitch/replay.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRecording } from '../../stand-ins/freeswitch/replay.ts'
import { startTestApp } from '../../support/app.ts'
import { EXPECTED_ENDS } from '../../support/expected-ends.ts'

const UUID = '[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}'

/** Plays a recording to whoever subscribed, as soon as an originate comes. */
class RecordedPeer {
	readonly originates: string[] = []
	recording: Recording | undefined
	/** How many bytes go out in one write. */
	pieceBytes = Infinity
	readonly #subscribed = new Set<Socket>()
	readonly #server = createServer((socket) => this.#serve(socket))

	listen(): Promise<number> {
		return new Promise((resolve) => {
			this.#server.listen(0, '127.0.0.1', () => {
				const address = this.#server.address()
				resolve(typeof address === 'object' && address !== null ? address.port : 0)
			})
		})
	}

	stop(): void {
		this.#server.close()
		this.#subscribed.forEach((socket) => socket.destroy())
	}

	#serve(socket: Socket): void {
		let pending = ''
		socket.on('error', () => {})
		socket.write('Content-Type: auth/request\n\n')
		socket.on('data', (chunk) => {
			pending += chunk.toString()
			for (let end = pending.indexOf('\n\n'); end !== -1; end = pending.indexOf('\n\n')) {
				this.#answer(socket, pending.slice(0, end))
				pending = pending.slice(end + 2)
			}
		})
	}

	#answer(socket: Socket, command: string): void {
		const reply = (text: string) => socket.write(`Content-Type: command/reply\nReply-Text: ${text}\n\n`)
		if (command.startsWith('auth ')) {
			reply('+OK accepted')
		} else if (command.startsWith('event json')) {
			this.#subscribed.add(socket)
			reply('+OK event listener enabled json')
		} else if (command.startsWith('bgapi originate')) {
			this.originates.push(command)
			const job = new RegExp(`^Job-UUID: (${UUID})$`, 'm').exec(command)?.[1] ?? ''
			reply(`+OK Job-UUID: ${job}\nJob-UUID: ${job}`)
			this.#play(command, job)
		} else if (command.startsWith('api uuid_exists')) {
			socket.write('Content-Type: api/response\nContent-Length: 5\n\nfalse')
		} else {
			socket.write('Content-Type: api/response\nContent-Length: 4\n\n+OK\n')
		}
	}

	#play(command: string, job: string): void {
		if (this.recording === undefined) {
			return
		}
		const { server, frames, aUuid, bUuid, jobUuid } = this.recording
		const [ourA = '', ourB = ''] = [...command.matchAll(new RegExp(`origination_uuid=(${UUID})`, 'g'))].map(([, uuid = '']) => uuid)
		const events = Buffer.concat(frames.filter(({ contentType }) => contentType.startsWith('text/event-')).map(({ start, end }) => server.subarray(start, end)))
		// Uuids are of one length, so no Content-Length changes.
		const bytes = [[aUuid, ourA], [bUuid, ourB], [jobUuid, job]].reduce(
			(text, [recorded, ours]) => recorded === undefined || ours === undefined ? text : text.replaceAll(recorded, ours),
			events.toString('latin1'),
		)
		for (const socket of this.#subscribed) {
			for (let offset = 0; offset < bytes.length; offset += this.pieceBytes) {
				socket.write(Buffer.from(bytes.slice(offset, offset + this.pieceBytes), 'latin1'))
			}
		}
	}
}

describe('a recorded call through the whole sidecar', () => {
	const peer = new RecordedPeer()
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		const port = await peer.listen()
		test = await startTestApp({ environment: { FREESWITCH_HOST: '127.0.0.1', FREESWITCH_PORT: String(port) } })
		demo = await test.prepare({}, { onRecordedSwitch: true })
	})

	afterAll(async () => {
		await test.stop()
		peer.stop()
	})

	it.each(Object.entries(EXPECTED_ENDS).filter(([name]) => {
		try {
			peer.recording = readRecording(name)
			return true
		} catch {
			// Named in the description but not shipped.
			return false
		}
	}))('%s ends as the switch described it', async (name, expected) => {
		peer.recording = readRecording(name)
		peer.pieceBytes = name.endsWith('_json') ? 1_000 : Infinity
		const before = peer.originates.length
		const { body, status } = await demo.call('+4930123456')
		expect(status).toBe(202)
		const ended = await demo.untilEnded(body.uuid)
		const [cause, q850, sip] = expected.cause
		expect(ended).toMatchObject({
			outcome: expected.outcome,
			endedBy: expected.endedBy,
			leg: expected.leg,
			cause: { name: cause, q850, ...(sip === undefined ? {} : { sip }) },
			...(expected.reason === undefined ? {} : { reason: { code: expected.reason, fixableBy: expected.fixableBy } }),
			...(expected.talkSec === undefined ? {} : { talkSec: expected.talkSec }),
		})
		expect(peer.originates.length).toBe(before + 1)
	})
})
