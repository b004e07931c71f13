// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How long PostgreSQL takes to find and decrypt a page of the history, 50 calls out of 100,000 of one user, and by which plan.

import type { Call } from '../../lib/calls/call.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { migrate, openDatabase } from '../../lib/db/orm.ts'
import { CallRepository } from '../../lib/db/repositories/call-repository.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { createLogger } from '../../lib/logger.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'
import { copyCalls } from '../support/copy-calls.ts'

const CALLS = 100_000
const PAGE = 50
const ROUNDS = 50
const LIMIT_MS = 5

interface Plan {
	Plan: object
	'Planning Time': number
	'Execution Time': number
}

const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-bench-'))
const quiet = createLogger({ level: 'error', silent: true })
const postgres = await startEmbeddedPostgres({ dataDir: folder, logger: quiet })
const keys = new KeyRing([randomBytes(32)])
const orm = await openDatabase({ url: postgres.url, keys, logger: quiet })
try {
	await migrate(orm, keys)
	const at = new Date()
	const store = new CallRepository({ orm, keys, clock: { now: () => at } })
	const call: Call = {
		uuid: randomUUID(),
		version: 1,
		userId: 'anna',
		to: '+4930123456',
		rawTo: '030 123456,,12#',
		extension: '12#',
		country: 'DE',
		device: { id: randomUUID(), label: 'Desk' },
		callerId: '+4930987654',
		note: 'Asked for the offer, call back on Monday',
		tags: ['Invoices'],
		direction: 'outbound',
		status: 'ended',
		outcome: 'completed',
		createdAt: at,
		endedAt: at,
		onHold: false,
		legs: [{ uuid: randomUUID(), role: 'user' }, { uuid: randomUUID(), role: 'destination', gateway: 'trunk' }],
		jobUuid: randomUUID(),
	}
	const question = { userId: 'anna', number: call.to, country: 'DE', at, dayFrom: at, monthFrom: at, isSpendLimited: false }
	await store.place({ userId: 'anna', idempotencyKey: undefined, bodyHash: '', at, question }, async () => call)
	await copyCalls(postgres.url, keys, { uuid: call.uuid, rows: CALLS - 1, set: { created_at: 'call.created_at - at * interval \'5 minutes\'' } })
	const connection = orm.em.getConnection()
	await connection.execute('vacuum analyze calls')

	// The statement that the history itself asks.
	const statements: string[] = []
	const execute = connection.execute.bind(connection)
	connection.execute = (query, parameters, ...rest) => {
		statements.push(typeof query === 'string' ? orm.em.getPlatform().formatQuery(query, Array.isArray(parameters) ? parameters : []) : '')
		return execute(query, parameters, ...rest)
	}
	const { items } = await store.history('anna', { limit: PAGE - 1 })
	connection.execute = execute
	const [asked = ''] = statements
	if (statements.length !== 1 || items.length !== PAGE - 1 || items[0]?.note !== call.note) {
		throw new Error(`The history gave ${items.length} calls by ${statements.join('\n')}`)
	}
	const explain = async (statement: string) => (await connection.execute<{ 'QUERY PLAN': [Plan] }[]>(`explain (analyze, buffers, format json) ${statement}`))[0]?.['QUERY PLAN'][0]
	const times: number[] = []
	for (let round = 0; round < ROUNDS; round++) {
		times.push((await explain(asked))?.['Execution Time'] ?? Number.NaN)
	}
	const of = (share: number) => times.toSorted((a, b) => a - b)[Math.floor(share * ROUNDS)]?.toFixed(2)
	console.log((await connection.execute<{ 'QUERY PLAN': string }[]>(`explain (analyze, buffers) ${asked}`)).map((row) => row['QUERY PLAN']).join('\n'))
	console.log(`${PAGE} of ${CALLS.toLocaleString('en')} calls with seven encrypted texts each, found and decrypted: median ${of(0.5)} ms of the database, 95 % ${of(0.95)} ms; the wish is ${LIMIT_MS} ms; load ${loadavg()[0]?.toFixed(1)}`)
	const page: number[] = []
	for (let round = 0; round < ROUNDS; round++) {
		const since = performance.now()
		await store.history('anna', { limit: PAGE - 1 })
		page.push(performance.now() - since)
	}
	console.log(`the same with all that the sidecar does: median ${page.toSorted((a, b) => a - b)[ROUNDS / 2]?.toFixed(1)} ms`)
} finally {
	await orm.close(true)
	await postgres.stop()
	await rm(folder, { recursive: true, force: true })
}
