// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What of an answer must be as recorded: status, headers that mean something, and the body but for what is new each time. */

import type { Answer, RecordedAnswer, RecordedRequest } from './recordings.ts'

import { expect } from 'vitest'

const HEADERS = ['content-type', 'cache-control', 'x-user-id', 'location', 'www-authenticate', 'dav', 'content-disposition']

/**
 * @param answer of the stand-in
 * @param recorded of the real one
 * @param newEachTime names of fields whose value only has to be of the same type
 */
export function expectAsRecorded(answer: Answer, recorded: RecordedAnswer, newEachTime: readonly string[] = []): void {
	expect(answer.status).toBe(recorded.status)
	const names = HEADERS.filter((name) => recorded.headers[name] !== undefined)
	expect(pick(answer.headers, names)).toEqual(pick(recorded.headers, names))
	if (recorded.isCut) {
		return
	}
	if (recorded.headers['content-type']?.includes('json') === true) {
		expect(blank(JSON.parse(answer.body), newEachTime)).toEqual(blank(JSON.parse(recorded.body), newEachTime))
	} else {
		expect(plain(answer.body)).toBe(plain(recorded.body))
	}
}

/** Calls to the ExApp: the line, the headers in their order, the body; the host is another. */
export function expectReceivedAsRecorded(received: readonly RecordedRequest[], recorded: readonly RecordedRequest[]): void {
	const shape = ({ method, path, headers, body }: RecordedRequest) => ({
		line: `${method} ${path}`,
		headers: headers.map(([name, value]) => `${name}: ${name === 'Host' ? 'exapp' : value}`),
		body,
	})
	expect(received.map(shape)).toEqual(recorded.map(shape))
}

function pick(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string | undefined> {
	return Object.fromEntries(names.map((name) => [name, headers[name]]))
}

function blank(value: unknown, names: readonly string[]): unknown {
	if (Array.isArray(value)) {
		return value.map((item) => blank(item, names))
	}
	if (typeof value !== 'object' || value === null) {
		return value
	}
	return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, names.includes(name) ? typeof item : blank(item, names)]))
}

/** Line ends and check sums. */
function plain(text: string): string {
	return text.replaceAll('\r\n', '\n').replace(/\b[0-9a-f]{32}\b/g, '<etag>').trim()
}
