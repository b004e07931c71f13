// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What an admin has saved in Nextcloud while the database takes nothing.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SettingsStore } from '../../../lib/policy/settings-store.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const away = () => Promise.reject(new Error('the database is away'))

describe('settings that cannot be taken over from Nextcloud', () => {
	let log: RecordedLog
	let told: string[]
	beforeEach(() => {
		vi.useFakeTimers()
		log = new RecordedLog()
		told = []
	})
	afterEach(() => {
		vi.useRealTimers()
	})

	function storeWith(fails: 'copy' | 'audit', state: { isAway: boolean }): SettingsStore {
		const store = new SettingsStore({
			source: { read: async () => ({ homeCountry: '"FR"' }), write: async () => true },
			copy: { load: async () => ({ homeCountry: 'DE' }), replace: () => fails === 'copy' && state.isAway ? away() : Promise.resolve() },
			beforeTakeOver: () => fails === 'audit' && state.isAway ? away() : Promise.resolve(),
			environment: {},
			settingRules: { isProviderKind: () => true, isDialTemplate: () => true, isDomain: () => true, isGatewayName: () => true },
			now: () => new Date(),
			logger: log,
		})
		store.onChange(({ homeCountry }) => told.push(String(homeCountry)))
		return store
	}

	it.each(['copy', 'audit'] as const)('because of the %s, do not count, and do with the next look after that', async (fails) => {
		const state = { isAway: true }
		const store = storeWith(fails, state)
		await store.load()
		await store.follow()
		await vi.advanceTimersByTimeAsync(30_000)
		expect([store.get().homeCountry, told]).toEqual(['DE', ['DE']])
		expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2)

		state.isAway = false
		await vi.advanceTimersByTimeAsync(30_000)
		expect([store.get().homeCountry, told]).toEqual(['FR', ['DE', 'FR']])
		store.stopFollowing()
	})

	it('after the app has stopped to follow them, are no news for anybody', async () => {
		const store = storeWith('copy', { isAway: true })
		await store.load()
		const following = store.follow()
		store.stopFollowing()
		await following
		expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([])
		expect(store.get().homeCountry).toBe('DE')
	})
})
