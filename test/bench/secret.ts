// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Whether the time to refuse a wrong secret tells how much of it was right. Shows the ratio; judges nothing, because a
// shared machine's noise is larger than any difference there may be.

import { randomBytes } from 'node:crypto'
import { verifyAppApi } from '../../lib/nextcloud/appapi-auth.ts'

const ROUNDS = 41
const EACH = 2_000

const secret = randomBytes(64).toString('hex')
function headersFor(guess: string) {
	return {
		'ex-app-id': ['sipcall'],
		'ex-app-version': ['0.1.0'],
		'authorization-app-api': [Buffer.from(`demo:${guess}`).toString('base64')],
	}
}
/** Another digit, so that the guesses differ in nothing but where they are wrong. */
const other = (digit: string) => ((Number.parseInt(digit, 16) + 1) % 16).toString(16)
const guesses = {
	'nothing right': [...secret].map(other).join(''),
	'half right': secret.slice(0, 64) + [...secret.slice(64)].map(other).join(''),
	'all but the last': secret.slice(0, -1) + other(secret.at(-1) ?? ''),
}

const times = new Map<string, number[]>()
for (let round = 0; round < ROUNDS; round++) {
	// A beginning that turns: none of them is always the first.
	const turn = Object.entries(guesses)
	for (const [name, guess] of [...turn.slice(round % turn.length), ...turn.slice(0, round % turn.length)]) {
		const headers = headersFor(guess)
		const start = performance.now()
		for (let count = 0; count < EACH; count++) {
			if (verifyAppApi(headers, { id: 'sipcall', secret }) !== undefined) {
				console.error('A wrong secret was taken')
				process.exitCode = 1
			}
		}
		times.set(name, [...times.get(name) ?? [], (performance.now() - start) / EACH * 1000])
	}
}
const medians = [...times].map(([name, values]) => [name, values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN] as const)
const [, base = Number.NaN] = medians[0] ?? []
console.log(`refusing a wrong secret of 128 characters, median of ${ROUNDS} rounds of ${EACH}`)
for (const [name, value] of medians) {
	console.log(`${name.padEnd(18)} ${value.toFixed(2).padStart(6)} µs   ratio to nothing right ${(value / base).toFixed(3)}`)
}
