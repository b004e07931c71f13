// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The doctor's page and the tests before saving, against the real sidecar and the scripted switch.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { startPageTest } from '../support/page-test.ts'

interface Config { gateways: string[], freeswitch: { host: string, port: number } }

describe.skipIf(!browserAvailable())('the doctor', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({
			freeSwitch: { gateways: { trunk: 'UP', spare: 'UP' }, gatewayLooks: { trunk: { registration: 'REGED' }, spare: { pingSec: 30 } } },
			overrides: { health: { freshMs: 0 } },
			settings: { gateways: ['trunk', 'spare'], rates: [{ prefix: '+49', perMinute: { micros: '10000', currency: 'EUR' } }], monthlySpendLimit: { micros: '1000000000', currency: 'EUR' } },
		})
	})
	afterAll(() => test?.stop())

	const part = (page: Page, key: string, state: string) => page.locator(`[data-sip=parts] [data-finding="${key}"][data-state=${state}]`)
	const config = async () => (await test.demo.get<Config>('/admin/config')).body

	describe('on its page', () => {
		let page: Page
		beforeAll(async () => {
			page = await test.open('/admin/doctor')
			await part(page, 'browser', 'ok').waitFor()
		})
		beforeEach(() => {
			test.app.freeSwitch.setGateway('spare', 'UP')
		})
		afterAll(() => page?.context().close())

		it('shows every part in the order of a call, each with an icon, a word and its milliseconds', async () => {
			expect(await page.locator('[data-sip=parts] li').evaluateAll((items) => items.map((item) => item.getAttribute('data-finding'))))
				.toEqual(['browser', 'nextcloud', 'sipcall', 'database', 'redis', 'freeswitch', 'gateway trunk', 'gateway spare', 'carrier', 'calling', 'sign_in'])
			expect(await page.locator('[data-sip=parts] li svg').count()).toBe(11)
			expect(await part(page, 'database', 'ok').innerText()).toMatch(/Database\s+Working\s+\d+ ms\s+PostgreSQL answers\./)
			expect(await page.locator('[data-sip=health-state]').innerText()).toMatch(/^Everything works\. Checked at /)
		})

		it('says what is wrong and what to do once it is asked again', async () => {
			test.app.freeSwitch.setGateway('spare', 'DOWN')
			await page.getByRole('button', { name: 'Run all checks' }).click()
			await part(page, 'gateway spare', 'down').waitFor()
			const text = await part(page, 'gateway spare', 'down').innerText()
			expect(text).toMatch(/Gateway: spare\s+Down/)
			expect(text).toContain('Check the gateway’s “proxy” in FreeSWITCH')
			await page.locator('[data-sip=health-state][data-state=degraded]').waitFor()
			test.app.freeSwitch.setGateway('spare', 'UP')
			await page.getByRole('button', { name: 'Run all checks' }).click()
			await part(page, 'gateway spare', 'ok').waitFor()
		})

		it('leads to where it is mended', async () => {
			await test.demo.request('POST', '/admin/config', { gateways: ['gone'] })
			await page.getByRole('button', { name: 'Run all checks' }).click()
			await part(page, 'gateway gone', 'down').getByRole('link', { name: 'Open “Connection”' }).click()
			await page.locator('[data-sip=admin-connection]').waitFor()
			await page.goBack()
			await part(page, 'gateway gone', 'down').waitFor()
			await test.demo.request('POST', '/admin/config', { gateways: ['trunk', 'spare'] })
		})

		it('copies a report without a number or a secret', async () => {
			await test.demo.request('POST', '/admin/config', { callerIds: [{ number: '+4930999999', label: 'Desk' }] })
			await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
			await page.getByRole('button', { name: 'Copy report' }).click()
			await page.getByRole('button', { name: 'Copied' }).waitFor()
			const text = await page.evaluate(() => navigator.clipboard.readText())
			expect(text).toContain('FreeSWITCH: ok (switch_ok, ')
			expect(text).not.toMatch(/\d{5}|the-switch-secret/)
		})

		it('rings a phone, and says step by step how far it came', async () => {
			await page.getByRole('button', { name: 'Call me now' }).click()
			await page.locator('[data-step=ringing]').waitFor()
			await page.locator('[data-sip=test-call-state]').getByText('“Desk” is ringing.').waitFor()
			const [leg] = test.app.freeSwitch.channels()
			test.app.freeSwitch.answer(leg?.uuid ?? '')
			await page.locator('[data-step=answered]').waitFor()
			test.app.freeSwitch.hangUp(leg?.uuid ?? '')
			await page.locator('[data-sip=test-call-state]').getByText('The way to this phone works.').waitFor()
			expect(await page.locator('[data-sip=test-call-steps] [data-step]').evaluateAll((items) => items.map((item) => item.getAttribute('data-step')))).toEqual(['accepted', 'ringing', 'answered', 'ended'])
		})

		it('says why a phone did not ring', async () => {
			await page.getByRole('button', { name: 'Call me now' }).click()
			await page.locator('[data-step=ringing]').waitFor()
			test.app.freeSwitch.hangUp(test.app.freeSwitch.channels()[0]?.uuid ?? '', 'USER_BUSY')
			await page.locator('[data-sip=test-call-state]').getByText('The test call failed. Your own phone is busy.').waitFor()
			await page.getByText('Cause: USER_BUSY (17, SIP 486)').waitFor()
		})
	})

	describe('before something is saved', () => {
		let page: Page
		beforeEach(async () => {
			page = await test.open('/admin/connection')
			await page.getByLabel('Host', { exact: true }).waitFor()
		})

		const step = (section: string, key: string, state: string) => page.locator(`[data-sip=${section}] [data-finding="${key}"][data-state=${state}]`)

		it('tests a connection step by step, and then offers FreeSWITCH’s gateways', async () => {
			await page.getByRole('button', { name: 'Test connection' }).click()
			for (const key of ['reachable', 'password', 'commands', 'version']) {
				await step('test-freeswitch', key, 'ok').waitFor()
			}
			await page.locator('[data-sip=test-freeswitch]').getByText('The test passed.').waitFor()
			await page.getByRole('button', { name: 'Remove spare' }).click()
			await page.getByLabel('Gateway', { exact: true }).selectOption('spare')
			await page.context().close()
		})

		it('saves nothing when the test fails, until the admin says so', async () => {
			await page.getByLabel('Password', { exact: true }).fill('a-wrong-password')
			await page.getByRole('button', { name: 'Save', exact: true }).click()
			await step('test-freeswitch', 'password', 'down').waitFor()
			await page.locator('[data-sip=save-refused]').getByText('Nothing was saved, because a test failed.').waitFor()
			expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('save-anyway')
			expect((await test.demo.get<{ source: Record<string, string> }>('/admin/config')).body.source.freeswitch).toBe('environment')
			await page.getByRole('button', { name: 'Save anyway' }).click()
			await page.locator('[data-sip=saved]').getByText('Saved.', { exact: true }).waitFor()
			await page.getByRole('button', { name: 'Remove the saved connection' }).click()
			await page.getByText('Set by the environment.').first().waitFor()
			await page.context().close()
		})

		it('lets what is typed anew be tested anew: an old result and the way around it go', async () => {
			await page.getByLabel('Port', { exact: true }).fill('1')
			await page.getByLabel('Password', { exact: true }).fill('x')
			await page.getByRole('button', { name: 'Save', exact: true }).click()
			await step('test-freeswitch', 'reachable', 'down').waitFor()
			await page.getByRole('button', { name: 'Save anyway' }).waitFor()
			await page.getByLabel('Port', { exact: true }).fill('2')
			await page.getByRole('button', { name: 'Save anyway' }).waitFor({ state: 'detached' })
			expect(await page.locator('[data-sip=test-freeswitch] li').count()).toBe(0)
			await page.context().close()
		})

		it('tests a trunk: a gateway that FreeSWITCH does not have is not saved', async () => {
			const before = (await config()).gateways
			await page.getByLabel('Gateway', { exact: true }).fill('gone')
			await page.keyboard.press('Enter')
			await page.getByRole('button', { name: 'Save', exact: true }).click()
			await step('test-trunk', 'gateway gone', 'down').waitFor()
			await page.getByRole('button', { name: 'Save anyway' }).waitFor()
			expect((await config()).gateways).toEqual(before)
			await page.getByRole('button', { name: 'Remove gone' }).click()
			await page.getByRole('button', { name: 'Test trunk' }).click()
			await step('test-trunk', 'gateway spare', 'ok').waitFor()
			await page.context().close()
		})
	})

	it('is offered to an administrator where calling is not possible, and to nobody else', async () => {
		test.app.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.app.freeSwitch.dropConnections()
		while ((await test.demo.get<{ service: { calling: string } }>('/me')).body.service.calling === 'ok') {
			await new Promise(setImmediate)
		}
		await test.app.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Kitchen', address: '1001' }] })
		const guest = await test.open('', { user: 'guest' })
		await guest.locator('[data-banner=switch-down]').waitFor()
		expect(await guest.getByText('Open Doctor').count()).toBe(0)
		await guest.context().close()
		const page = await test.open()
		await page.locator('[data-banner=switch-down]').getByRole('link', { name: 'Open Doctor' }).click()
		await part(page, 'freeswitch', 'down').waitFor()
		test.app.freeSwitch.onCommand = undefined
		await page.context().close()
	})
})
