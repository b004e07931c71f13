// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { SipCallError } from '../../../lib/errors.ts'
import { LifeCycle } from '../../../lib/nextcloud/life-cycle.ts'
import { OcsClient } from '../../../lib/nextcloud/ocs-client.ts'
import { Progress } from '../../../lib/progress.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

/** A life cycle whose reports are kept; the last report resolves `told`. */
function lifeCycle(untilUp: (progress: Progress) => Promise<void>) {
	const progress = new Progress()
	const reports: unknown[] = []
	const told = Promise.withResolvers<void>()
	const logger = new RecordedLog()
	let isRefused = false
	const ocs = new OcsClient({
		nextcloudUrl: 'https://cloud.example',
		appId: 'sipcall',
		appVersion: '0.1.0',
		appSecret: 'secret',
		logger,
		now: () => 0,
		fetch: async (_url, init) => {
			if (isRefused) {
				return new Response('{}', { status: 401 })
			}
			const report = JSON.parse(String(init?.body)) as { progress: number, error: string }
			reports.push(report)
			if (report.progress === 100 || report.error !== '') {
				told.resolve()
			}
			return Response.json({ ocs: { data: [] } })
		},
	})
	const calls: string[] = []
	return {
		reports,
		told: told.promise,
		calls,
		/** Asks while Nextcloud has an older registration, whose secret is another. */
		async beRefused() {
			isRefused = true
			await ocs.request({ path: '/x' }).catch(() => {})
			isRefused = false
			return ocs.isRefused
		},
		subject: new LifeCycle({
			ocs,
			untilUp: () => untilUp(progress),
			progress,
			enable: async () => {
				calls.push('enable')
			},
			disable: async () => {
				calls.push('disable')
			},
			logger,
		}),
	}
}

describe('the set-up', () => {
	it('reports 1 at once and 100 when everything is up', async () => {
		const test = lifeCycle(async () => {})
		test.subject.init()
		await test.told
		expect(test.reports).toEqual([{ progress: 1, error: '' }, { progress: 100, error: '' }])
	})

	it('reports each step in between, in order', async () => {
		const test = lifeCycle(async (progress) => {
			progress.report(40)
			await Promise.resolve()
			progress.report(70)
		})
		test.subject.init()
		await test.told
		expect(test.reports.map((report) => (report as { progress: number }).progress)).toEqual([1, 40, 70, 100])
	})

	it('that fails tells Nextcloud why, in words for the admin, and the next one begins anew', async () => {
		let isBroken = true
		const test = lifeCycle(async () => {
			if (isBroken) {
				throw new SipCallError('storage_unavailable', 'The database was made by a newer SIPCall.')
			}
		})
		test.subject.init()
		await test.told
		expect(test.reports.at(-1)).toEqual({ progress: 0, error: 'The database was made by a newer SIPCall.' })
		isBroken = false
		while (test.reports.length < 4) {
			test.subject.init()
			await new Promise(setImmediate)
		}
		expect(test.reports.slice(2)).toEqual([{ progress: 1, error: '' }, { progress: 100, error: '' }])
	})

	it('that fails by a bug tells that the log has the reason, and nothing of the bug', async () => {
		const test = lifeCycle(() => Promise.reject(new TypeError('secret internals')))
		test.subject.init()
		await test.told
		expect(JSON.stringify(test.reports)).not.toContain('internals')
	})

	it('of an app that is registered anew does not wait because its secret was refused before', async () => {
		const test = lifeCycle(async () => {})
		expect(await test.beRefused()).toBe(true)
		test.subject.init()
		await test.told
		expect(test.reports).toEqual([{ progress: 1, error: '' }, { progress: 100, error: '' }])
	})

	it('runs once, however often it is asked for meanwhile', async () => {
		const up = Promise.withResolvers<void>()
		const test = lifeCycle(() => up.promise)
		test.subject.init()
		test.subject.init()
		test.subject.init()
		up.resolve()
		await test.told
		expect(test.reports).toHaveLength(2)
	})
})

describe('enabling', () => {
	it('answers an empty error when it worked, and the reason when it did not', async () => {
		const good = lifeCycle(async () => {})
		expect(await good.subject.setEnabled(true)).toBe('')
		expect(await good.subject.setEnabled(false)).toBe('')
		expect(good.calls).toEqual(['enable', 'disable'])
		const bad = lifeCycle(() => Promise.reject(new SipCallError('storage_unavailable', 'The key is missing.')))
		expect(await bad.subject.setEnabled(true)).toBe('The key is missing.')
		expect(bad.calls).toEqual([])
		// Disabling works also while nothing is up.
		expect(await bad.subject.setEnabled(false)).toBe('')
	})
})
