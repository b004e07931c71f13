// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What it costs to check access tokens: 1,000 different ones, ours beside jose (which openid-client brings along).
// Exits 1 when a result is wrong, never because a machine is slow.

import { jwtVerify } from 'jose'
import { randomBytes, randomUUID } from 'node:crypto'
import { AccessTokens, JWT_ALGORITHMS } from '../../lib/identity/jwt.ts'

const TOKENS = 1000
const RUNS = 15
const LIMIT_MS = 50

function median(times: readonly number[]): number {
	return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}

function report(name: string, times: readonly number[]): void {
	const [first = Number.NaN] = times
	console.log(`${name.padEnd(14)} median ${median(times).toFixed(1).padStart(6)} ms   first run ${first.toFixed(1).padStart(6)} ms   slowest ${Math.max(...times).toFixed(1).padStart(6)} ms`)
}

console.log(`${TOKENS} verifications, one after another, ${RUNS} runs; the limit is ${LIMIT_MS} ms`)
for (const algorithm of JWT_ALGORITHMS) {
	const key = randomBytes(64)
	const tokens = new AccessTokens({ keys: [key, randomBytes(64)], algorithm, lifetimeSec: 900, now: () => new Date(), newUuid: randomUUID })
	const signed = Array.from({ length: TOKENS }, (_, index) => tokens.sign(`user${index}`, randomUUID()))

	const ours: number[] = []
	for (let run = 0; run < RUNS; run++) {
		const start = performance.now()
		const valid = signed.filter((token) => tokens.verify(token) !== undefined).length
		ours.push(performance.now() - start)
		if (valid !== TOKENS) {
			console.error(`${TOKENS - valid} valid tokens were refused`)
			process.exitCode = 1
		}
	}
	report(`ours  ${algorithm}`, ours)

	// The fastest of the forms in which jose takes a key.
	const cryptoKey = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: `SHA-${algorithm.slice(2)}` }, false, ['verify'])
	const theirs: number[] = []
	for (let run = 0; run < RUNS; run++) {
		const start = performance.now()
		for (const token of signed) {
			await jwtVerify(token, cryptoKey, { algorithms: [algorithm], issuer: 'sipcall', audience: 'sipcall', typ: 'at+jwt', requiredClaims: ['sub', 'sid', 'iat', 'exp', 'jti'] })
		}
		theirs.push(performance.now() - start)
	}
	report(`jose  ${algorithm}`, theirs)
}
