// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Ten minutes without Nextcloud, on a clock of the test's own.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppConfig } from '../../../lib/nextcloud/app-config.ts'
import { OcsClient } from '../../../lib/nextcloud/ocs-client.ts'
import { UserDirectory } from '../../../lib/nextcloud/user-directory.ts'
import { SettingsStore } from '../../../lib/policy/settings-store.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const MINUTES = 10

describe('ten minutes without Nextcloud', () => {
	beforeEach(() => {
		vi.useFakeTimers({ now: new Date('2026-11-24T12:00:00.000Z') })
	})

	afterEach(() => {
		vi.useRealTimers()
	})

	it.each([
		['gives no answer', () => Promise.reject(new TypeError('fetch failed'))],
		['answers 503', async () => new Response('', { status: 503 })],
		['answers 401 to everything', async () => new Response('{}', { status: 401 })],
	])('that %s cost less than one request a second, whoever asks, and all who ask are told to wait', async (_what, answer) => {
		const askedAt: number[] = []
		const logger = new RecordedLog()
		const ocs = new OcsClient({
			nextcloudUrl: 'https://cloud.example',
			appId: 'sipcall',
			appVersion: '0.1.0',
			appSecret: 'secret',
			logger,
			now: Date.now,
			fetch: () => {
				askedAt.push(Date.now())
				return answer()
			},
		})
		const users = new UserDirectory({ ocs, now: Date.now })
		const settings = new SettingsStore({
			beforeTakeOver: async () => {},
			source: new AppConfig({ ocs }),
			copy: { load: async () => ({ homeCountry: 'DE' }), replace: async () => {} },
			environment: {},
			settingRules: { isProviderKind: () => true, isDialTemplate: () => true, isDomain: () => true, isGatewayName: () => true },
			now: () => new Date(),
			logger,
		})
		await settings.load()
		void settings.follow()
		const refusals = new Map<string, number>()
		for (let second = 0; second < MINUTES * 60; second++) {
			for (let user = 0; user < 5; user++) {
				users.get(`user${(second * 5 + user) % 40}`).catch((error: { code?: string, retryAfterSec?: number }) => {
					const outcome = `${error.code} ${error.retryAfterSec}`
					refusals.set(outcome, (refusals.get(outcome) ?? 0) + 1)
				})
			}
			await vi.advanceTimersByTimeAsync(1000)
		}
		settings.stopFollowing()
		await vi.advanceTimersByTimeAsync(5000)
		expect(askedAt.length).toBeLessThanOrEqual(MINUTES * 60)
		expect(Object.fromEntries(refusals)).toEqual({ 'nextcloud_unavailable 30': MINUTES * 60 * 5 })
		expect(settings.get().homeCountry).toBe('DE')
		// The first failures come together; from then on no second has more than three.
		const worst = Math.max(...Object.values(Object.groupBy(askedAt.slice(8), (at) => Math.floor(at / 1000))).map((asked) => asked?.length ?? 0))
		expect(worst).toBeLessThanOrEqual(3)
	})
})
