// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Install, enable, disable, update and uninstall as AppAPI drives them, and settings that an admin saves in Nextcloud.

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'
import type { TestApp } from '../../support/app.ts'

import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { startNextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'
import { ApiClient, APP_SECRET, startTestApp } from '../../support/app.ts'
import { keptLog } from '../../support/kept-log.ts'

describe('the life in Nextcloud', () => {
	let nextcloud: NextcloudShell
	let test: TestApp
	let demo: ApiClient

	beforeEach(async () => {
		nextcloud = await startNextcloudShell({ appId: 'sipcall', appSecret: APP_SECRET, appVersion: '0.1.0', exAppUrl: 'http://127.0.0.1:1', enabled: false })
		test = await startTestApp({ environment: { NEXTCLOUD_URL: nextcloud.url } })
		nextcloud.exAppUrl = test.url
		demo = new ApiClient(test.url, 'demo')
	})

	afterEach(async () => {
		await test.stop()
		await nextcloud.stop()
	})

	it('begins with a registration that reports 1 to 100 % and leaves the app enabled with its entries', async () => {
		expect(await nextcloud.register()).toMatchObject({ exitCode: 0 })
		expect(nextcloud.exApp).toMatchObject({ isRegistered: true, isEnabled: true })
		expect(nextcloud.reports.map(({ progress }) => progress)).toEqual([1, 100])
		expect(nextcloud.reports.every(({ error }) => error === '')).toBe(true)
		expect(nextcloud.registrations.topMenus.map(({ name, displayName, icon }) => ({ name, displayName, icon }))).toEqual([{ name: 'calls', displayName: 'SIPCall', icon: 'img/app.svg' }])
		expect(nextcloud.registrations.scripts.map(({ path }) => path)).toEqual(['js/sipcall-main'])
		expect(nextcloud.registrations.styles.map(({ path }) => path)).toEqual(['css/sipcall-main'])
		expect(nextcloud.registrations.settingsForms.map(({ id }) => id)).toEqual(['calling_settings'])
	})

	it('is asked nothing of before it is registered: five refused calls would lock the app out', async () => {
		expect(nextcloud.requests.filter(({ part }) => part === 'ocs')).toEqual([])
	})

	it('goes through disable, enable, update and uninstall, each repeatable', async () => {
		await nextcloud.register()
		expect(await nextcloud.disable()).toMatchObject({ exitCode: 0 })
		expect(nextcloud.exApp.isEnabled).toBe(false)
		expect(await nextcloud.enable()).toMatchObject({ exitCode: 0 })
		expect(await nextcloud.enable()).toMatchObject({ exitCode: 0 })
		expect(nextcloud.exApp.isEnabled).toBe(true)
		expect(await nextcloud.update('0.2.0')).toMatchObject({ exitCode: 0 })
		expect(nextcloud.exApp).toMatchObject({ version: '0.2.0', isEnabled: true })
		expect(nextcloud.registrations.topMenus).toHaveLength(1)
		expect(await nextcloud.unregister()).toMatchObject({ exitCode: 0 })
		expect(nextcloud.exApp.isRegistered).toBe(false)
	})

	it('tells Nextcloud’s setup checks what is wrong, and takes it well where there are none (404)', async () => {
		await nextcloud.register()
		expect(nextcloud.requests.filter(({ url }) => url.includes('/setup_check')).map(({ status }) => status)).toEqual([404])
		const { status, body, headers } = await new ApiClient(test.url, '').get<Record<string, { status: string }>>('/setup_checks')
		expect(status).toBe(200)
		expect(Number(headers.get('content-length'))).toBeGreaterThan(0)
		expect(Object.entries(body).map(([id, check]) => [id, check.status])).toEqual([
			['nextcloud', 'success'],
			['sipcall', 'success'],
			['database', 'success'],
			['redis', test.environment.REDIS_URL?.startsWith('unix:') === true ? 'success' : 'warning'],
			['freeswitch', 'success'],
			['gateway', 'warning'],
			['carrier', 'success'],
			['calling', 'warning'],
			['spending', 'warning'],
			['sign_in', 'success'],
		])
	})

	it('takes over what an admin saves in Nextcloud’s own form, at the next enable at the latest', async () => {
		await nextcloud.register()
		expect(nextcloud.saveSetting('demo', 'calling_settings', 'homeCountry', 'DE')).toBe(200)
		expect(nextcloud.saveSetting('demo', 'calling_settings', 'allowedCountries', 'DE, AT')).toBe(200)
		expect(nextcloud.saveSetting('demo', 'calling_settings', 'callsPerMinute', 'many')).toBe(200)
		await nextcloud.disable()
		await nextcloud.enable()
		const { body } = await demo.get('/admin/config')
		expect(body).toMatchObject({ homeCountry: 'DE', allowedCountries: ['DE', 'AT'], callsPerMinute: 10, source: { homeCountry: 'app', callsPerMinute: 'default' } })
	})

	it('keeps settings in Nextcloud, and the last good copy while Nextcloud is away', async () => {
		await nextcloud.register()
		expect((await demo.request('POST', '/admin/config', { homeCountry: 'DE', callerIds: [{ number: '+4930123456', label: 'Office' }] })).status).toBe(200)
		expect(JSON.parse(nextcloud.config.read('callerIds') ?? '')).toEqual([{ number: '+4930123456', label: 'Office' }])
		nextcloud.setAvailable(false)
		expect((await demo.request('POST', '/admin/config', { homeCountry: 'AT' })).status).toBe(503)
		expect((await demo.get('/admin/config')).body.homeCountry).toBe('DE')
		nextcloud.setAvailable(true)
	})

	it('refuses life-cycle calls from users and from nobody, and user paths from Nextcloud itself', async () => {
		const nobody = await fetch(`${test.url}/init`, { method: 'POST' })
		expect(nobody.status).toBe(401)
		expect((await demo.request('POST', '/init', {})).status).toBe(403)
		expect((await demo.request('PUT', '/enabled?enabled=1', {})).status).toBe(403)
		expect((await new ApiClient(test.url, '').get('/me')).status).toBe(401)
	})

	it('takes an anonymous visitor of Nextcloud’s proxy for nobody, not for Nextcloud itself', async () => {
		const visitor = new ApiClient(test.url, '')
		for (const [method, path] of [['POST', '/init'], ['PUT', '/enabled?enabled=0'], ['POST', '/occ/status']] as const) {
			expect((await visitor.request(method, path, {}, { 'x-origin-ip': '203.0.113.9' })).status).toBe(401)
		}
		expect(nextcloud.reports).toEqual([])
	})
})

describe('a set-up that fails', () => {
	it('tells Nextcloud why, and goes through as soon as the reason is gone', async () => {
		const nextcloud = await startNextcloudShell({ appId: 'sipcall', appSecret: APP_SECRET, appVersion: '0.1.0', exAppUrl: 'http://127.0.0.1:1', enabled: false })
		const test = await startTestApp({ environment: { NEXTCLOUD_URL: nextcloud.url } })
		// The same database with another key: what is stored could not be read.
		const environment = { ...test.environment, DATABASE_ENCRYPTION_KEY: randomBytes(32).toString('base64') }
		await test.app.stop()
		const broken = await startApp({ ...loadConfig(environment), listen: { host: '127.0.0.1', port: 0 } }, keptLog())
		nextcloud.exAppUrl = broken.url
		const failed = await nextcloud.register()
		expect(failed.exitCode).toBe(1)
		expect(failed.output).toMatch(/needs the encryption key [0-9a-f]{8}, which is not loaded/)
		expect(nextcloud.reports.at(-1)?.progress).toBe(0)
		await broken.stop()

		await test.restart()
		nextcloud.exAppUrl = test.url
		await nextcloud.unregister()
		expect(await nextcloud.register()).toMatchObject({ exitCode: 0 })
		expect(nextcloud.exApp.isEnabled).toBe(true)
		await test.stop()
		await nextcloud.stop()
	})
})

describe('without Nextcloud', () => {
	it('calls of users known in the last minute, status, history and hang-up go on; the rest is 503 with Retry-After, and nothing storms', async () => {
		const test = await startTestApp({ freeSwitch: { speed: 1 }, overrides: { sweepMs: 50 } })
		const demo = await test.prepare()
		const live = await demo.call('+4930123400')
		await demo.until(live.body.uuid, ({ status }) => status === 'connected')
		test.nextcloud.setAvailable(false)
		const before = test.nextcloud.requests.length

		expect((await demo.get(`/call-status/${live.body.uuid}`)).body.status).toBe('connected')
		expect((await demo.hangUp(live.body.uuid)).status).toBe(202)
		await demo.untilEnded(live.body.uuid)
		expect((await demo.get('/call-history')).status).toBe(200)
		const next = await demo.call('+4930123400')
		expect(next.status).toBe(202)
		await demo.hangUp(next.body.uuid)
		await demo.untilEnded(next.body.uuid)
		// A known user costs Nextcloud nothing at all.
		expect(test.nextcloud.requests.length).toBe(before)

		const guest = test.as('guest')
		const answers = await Promise.all(Array.from({ length: 50 }, () => guest.call('+4930123400')))
		for (const { status, text, headers } of answers) {
			expect({ status, code: (JSON.parse(text) as { code: string }).code }).toEqual({ status: 503, code: 'nextcloud_unavailable' })
			expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
		}
		for (let round = 0; round < 20; round++) {
			expect((await guest.get('/me')).status).toBe(503)
		}
		// Three failures of one question and its repetition, then the breaker is open for ten seconds.
		expect(test.nextcloud.requests.length - before).toBeLessThanOrEqual(8)
		await test.stop()
	})
})
