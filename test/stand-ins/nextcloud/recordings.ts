// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Reads the recordings of a real Nextcloud in test/fixtures/nextcloud, and asks the stand-in what was asked there. */

import type { NextcloudShell, NextcloudShellOptions } from './nextcloud-shell.ts'

import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { startNextcloudShell } from './nextcloud-shell.ts'

export type HeaderList = [name: string, value: string][]

export interface RecordedRequest {
	method: string
	path: string
	headers: HeaderList
	body: string
}

export interface RecordedAnswer {
	status: number
	/** By lower-case name; the first of several. */
	headers: Record<string, string>
	body: string
	/** The recording leaves out the rest of the body. */
	isCut: boolean
}

export interface Exchange {
	number: number
	title: string
	/** All that stands beneath the title. */
	text: string
	request: RecordedRequest
	answer: RecordedAnswer
	/** What the ExApp received on the way. */
	received: RecordedRequest[]
}

/** The app and the people of the recordings. */
export const RECORDED = {
	appId: 'sipcall',
	appSecret: 'probe-secret-0123456789',
	appVersion: '1.0.0',
	users: [
		{ id: 'admin', displayName: 'admin', groups: ['admin'] },
		{ id: 'alice', displayName: 'Alice Example', groups: ['sales'] },
		{ id: 'bob', displayName: 'Bob Example', groups: [] },
	],
}

export function startRecordedShell(options: Partial<NextcloudShellOptions> = {}): Promise<NextcloudShell> {
	return startNextcloudShell({ ...RECORDED, exAppUrl: 'http://127.0.0.1:1', cards: {}, ...options })
}

/**
 * @param name of the file, without `.http`
 */
export function readRecording(name: string): Exchange[] {
	const text = readFileSync(new URL(`../../fixtures/nextcloud/${name}.http`, import.meta.url), 'utf8')
	return text.split(/^### (?=\d+\. )/m).slice(1).map((section) => {
		const [first = '', ...lines] = section.split('\n')
		const [, number, title = ''] = /^(\d+)\. (.*)$/.exec(first) ?? []
		const blocks = lines.join('\n').split(/^(?=>>> |<<< )/m)
		const [own = ''] = blocks
		return {
			number: Number(number),
			title,
			text: lines.join('\n'),
			request: readRequest(own),
			answer: readAnswer(own),
			received: blocks.filter((block) => block.startsWith('>>> what the ExApp received')).map(readRequest),
		}
	})
}

/** One of them; its number is that of its heading. */
export function exchange(recording: readonly Exchange[], number: number): Exchange {
	const found = recording.find((candidate) => candidate.number === number)
	if (found === undefined) {
		throw new Error(`No exchange ${number} in the recording`)
	}
	return found
}

function readRequest(block: string): RecordedRequest {
	const [, line = '', rest = ''] = /^([A-Z]+ \/\S* HTTP\/1\.1)\n(.*)/ms.exec(block) ?? []
	const [method = '', path = ''] = line.split(' ')
	const [head = '', ...more] = rest.split(/^HTTP\/1\.1 \d+/m)[0]?.split('\n\n') ?? []
	return { method, path, headers: readHeaders(head), body: more.join('\n\n').trim() }
}

function readAnswer(block: string): RecordedAnswer {
	const [, status, rest = ''] = /^HTTP\/1\.1 (\d+)[^\n]*\n(.*)/ms.exec(block) ?? []
	const [head = '', ...more] = rest.split('\n\n')
	const body = more.join('\n\n').replace(/\n# requests that reached[^\n]*/, '').trim()
	return {
		status: Number(status),
		headers: Object.fromEntries(readHeaders(head).map(([name, value]) => [name.toLowerCase(), value] as const).toReversed()),
		// Some exchanges have a second answer, or rows of the database, behind the first.
		body: body.startsWith('{') ? body.split('\n')[0] ?? '' : body,
		isCut: /^\.\.\. <\d+ more characters>/m.test(body),
	}
}

function readHeaders(head: string): HeaderList {
	return head.split('\n').filter((line) => line.includes(':')).map((line) => {
		const [name = '', value = ''] = line.split(/: ?(.*)/s)
		return [name, value]
	})
}

export interface Answer {
	status: number
	headers: Record<string, string>
	body: string
}

/** Sends a request as it was recorded, under the recorded host name; `change` may put other values into it. */
export function send(shell: Pick<NextcloudShell, 'url'>, recorded: RecordedRequest, change: (text: string) => string = (text) => text): Promise<Answer> {
	const { hostname, port } = new URL(shell.url)
	const body = change(recorded.body)
	const headers = recorded.headers.filter(([name]) => name !== 'Content-Length').map(([name, value]): [string, string] => [name, change(value)])
	return new Promise((resolve, reject) => {
		const request = httpRequest({
			hostname,
			port,
			method: recorded.method,
			path: change(recorded.path),
			headers: [...headers, ['Content-Length', String(Buffer.byteLength(body))], ['Connection', 'close']].flat(),
			agent: false,
		}, async (response) => {
			let content = ''
			response.setEncoding('utf8')
			for await (const chunk of response) {
				content += String(chunk)
			}
			resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])), body: content })
		})
		request.on('error', reject)
		request.end(body)
	})
}

export interface RecordingExApp {
	url: string
	received: RecordedRequest[]
	/** What it answers; may first do something else. */
	reply: (request: RecordedRequest) => { status: number, body: string } | Promise<{ status: number, body: string }>
	stop: () => Promise<void>
}

/** An ExApp that writes down what it gets, and answers as the recorded one did. */
export async function startRecordingExApp(): Promise<RecordingExApp> {
	const exApp: RecordingExApp = {
		url: '',
		received: [],
		reply: ({ path }) => ({ status: 200, body: path === '/heartbeat' ? '{"status":"ok"}' : path === '/init' ? '{}' : '{"error":""}' }),
		async stop() {
			server.closeAllConnections()
			await new Promise((resolve) => {
				server.close(resolve)
			})
		},
	}
	const server = createServer(async (request, response) => {
		let body = ''
		for await (const chunk of request) {
			body += String(chunk)
		}
		const headers = request.rawHeaders.flatMap((name, at): HeaderList => at % 2 === 0 ? [[name, request.rawHeaders[at + 1] ?? '']] : [])
		const received = { method: request.method ?? '', path: request.url ?? '', headers, body }
		exApp.received.push(received)
		const reply = await exApp.reply(received)
		response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(reply.body)
	})
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve)
	})
	const address = server.address()
	exApp.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
	return exApp
}
