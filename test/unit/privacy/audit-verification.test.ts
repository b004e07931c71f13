// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditCheck } from '../../../lib/privacy/audit.ts'

import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../lib/logger.ts'
import { AuditVerification } from '../../../lib/privacy/audit-verification.ts'

const AT = new Date('2026-11-22T09:30:00.000Z')
const logger = createLogger({ level: 'error', pretty: false, silent: true })

/** A check that goes on one step for each call of `step`, and tells how often one was begun. */
function stepwise(end: () => AuditCheck) {
	let begun = 0
	let release = Promise.withResolvers<void>()
	async function* check(): AsyncGenerator<number, AuditCheck> {
		begun++
		for (const entries of [1000, 2000]) {
			await release.promise
			release = Promise.withResolvers()
			yield entries
		}
		await release.promise
		release = Promise.withResolvers()
		return end()
	}
	const verification = new AuditVerification({ check, now: () => AT, logger })
	return {
		verification,
		begun: () => begun,
		async step() {
			const before = verification.state
			release.resolve()
			while (verification.state === before) {
				await new Promise(setImmediate)
			}
		},
	}
}

describe('a check of the audit log', () => {
	it('has not been made at first', () => {
		expect(stepwise(() => ({ entries: 0, hash: '' })).verification.state).toEqual({ state: 'none' })
	})

	it('tells how far it is, and what it has found', async () => {
		const { verification, step } = stepwise(() => ({ entries: 2500, hash: 'abc', broken: { seq: 2501, why: 'It is missing.' } }))
		expect(verification.start()).toEqual({ state: 'running', startedAt: AT, entries: 0 })
		await step()
		expect(verification.state).toEqual({ state: 'running', startedAt: AT, entries: 1000 })
		await step()
		await step()
		expect(verification.state).toEqual({ state: 'done', startedAt: AT, checkedAt: AT, entries: 2500, hash: 'abc', broken: { seq: 2501, why: 'It is missing.' } })
	})

	it('is one at a time; the next one begins anew', async () => {
		const { verification, step, begun } = stepwise(() => ({ entries: 2000, hash: 'abc' }))
		verification.start()
		await step()
		expect(verification.start()).toEqual({ state: 'running', startedAt: AT, entries: 1000 })
		expect(begun()).toBe(1)
		await step()
		await step()
		expect(verification.state.state).toBe('done')
		// What ran is put away a moment after its end.
		await new Promise(setImmediate)
		expect(verification.start()).toEqual({ state: 'running', startedAt: AT, entries: 0 })
		expect(begun()).toBe(2)
	})

	it('that cannot be finished says nothing about the log', async () => {
		const { verification, step } = stepwise(() => {
			throw new Error('The database is away')
		})
		verification.start()
		await step()
		await step()
		await step()
		expect(verification.state).toEqual({ state: 'failed', startedAt: AT, entries: 2000 })
	})

	it('ends with the server, and none begins after that', async () => {
		const { verification, step, begun } = stepwise(() => ({ entries: 2000, hash: 'abc' }))
		verification.start()
		const stopped = verification.stop()
		await step()
		await stopped
		expect(verification.start()).toMatchObject({ state: 'failed' })
		expect(begun()).toBe(1)
	})
})
