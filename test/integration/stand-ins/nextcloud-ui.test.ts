// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'
import type { RecordingExApp } from '../../stand-ins/nextcloud/recordings.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAsRecorded, expectReceivedAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell, startRecordingExApp } from '../../stand-ins/nextcloud/recordings.ts'

const ui = readRecording('03-ui-register')
const occ = readRecording('09-occ-command')

let shell: NextcloudShell
let exApp: RecordingExApp

beforeAll(async () => {
	exApp = await startRecordingExApp()
	shell = await startRecordedShell({ exAppUrl: exApp.url })
	// The recorded app registers all of its page itself.
	shell.registrations.clear()
})

afterAll(async () => {
	await shell.stop()
	await exApp.stop()
})

describe('menu, script, style and initial state, one call after the other as recorded', () => {
	it.each(ui.map((each) => [each.number, each.title, each] as const))('%i. %s', async (_number, _title, { request, answer }) => {
		expectAsRecorded(await send(shell, request), answer, ['id'])
	})

	it('are seen on the object, a second script of the same path as one', () => {
		expect(shell.registrations.topMenus.map(({ name, displayName, adminRequired }) => [name, displayName, adminRequired])).toEqual([['main', 'SIP Call', 0], ['setup', 'SIP Setup', 1]])
		expect(shell.registrations.scripts.map(({ path }) => path)).toEqual(['js/main'])
		expect(shell.registrations.styles.map(({ path }) => path)).toEqual(['css/main'])
		expect(shell.registrations.initialStates.map(({ key, value }) => [key, value])).toEqual([['sipcall-config', { greeting: 'hello <b>"\'', n: 1 }]])
	})
})

describe('the embedded page', () => {
	const get = (path: string, cookie = 'nc_username=alice') => send(shell, { method: 'GET', path: `/index.php/apps/app_api/embedded/sipcall/${path}`, headers: [['Host', 'cloud.example'], ['Cookie', cookie]], body: '' })

	it('has what was registered for its entry, the initial state encoded twice', async () => {
		const { status, body } = await get('main')
		expect(status).toBe(200)
		expect(body).toContain('<title>SIP Call - Nextcloud</title>')
		expect(body).toMatch(/src="\/index\.php\/apps\/app_api\/proxy\/sipcall\/js\/main\.js\?v=/)
		expect(body).toMatch(/href="\/index\.php\/apps\/app_api\/proxy\/sipcall\/css\/main\.css\?v=/)
		// The recorded value, letter by letter.
		expect(body).toContain('id="initial-state-app_api-sipcall-config" value="IntcImdyZWV0aW5nXCI6XCJoZWxsbyA8Yj5cXFwiJ1wiLFwiblwiOjF9Ig=="')
		expect(body).toContain('id="initial-state-core-active-app" value="ImFwcF9hcGlfc2lwY2FsbF9tYWluIg=="')
	})

	it('is there for admins only where the entry says so, and not at all where there is none', async () => {
		expect((await get('setup')).status).toBe(404)
		expect((await get('setup', 'nc_username=admin')).status).toBe(200)
		expect((await get('nosuch')).status).toBe(404)
		expect((await get('main', 'nc_username=')).status).toBe(401)
	})

	it('goes with its entry, and takes script, style and state along', async () => {
		await send(shell, { ...exchange(ui, 9).request, path: '/ocs/v2.php/apps/app_api/api/v1/ui/top-menu', body: '{"name":"main"}' })
		expect((await get('main')).status).toBe(404)
		expect([shell.registrations.scripts, shell.registrations.styles, shell.registrations.initialStates]).toEqual([[], [], []])
	})
})

describe('a console command of the ExApp', () => {
	it.each([1, 4].map((number) => exchange(occ, number)).map((each) => [each.number, each.title, each] as const))('%i. %s', async (_number, _title, { request, answer }) => {
		expectAsRecorded(await send(shell, request), answer)
	})

	it('reaches its handler as recorded, and prints what that answers', async () => {
		const { text, received } = exchange(occ, 2)
		exApp.reply = () => ({ status: 200, body: 'hello from the exapp\n' })
		// The recorded app had been updated by then.
		const version = received[0]?.headers.find(([name]) => name === 'EX-APP-VERSION')?.[1] ?? ''
		await send(shell, { ...exchange(occ, 1).request, headers: exchange(occ, 1).request.headers.map(([name, value]) => [name, name === 'EX-APP-VERSION' ? version : value]) })
		const { exitCode, output } = await shell.occ('sipcall:hello', ['alice'], { times: '2', loud: true })
		expect(text).toContain(`${output}(exit ${exitCode})`)
		expectReceivedAsRecorded(exApp.received, received)
	})

	it('fails on any other status', async () => {
		exApp.reply = () => ({ status: 404, body: '' })
		const { exitCode, output } = await shell.occ('sipcall:bad')
		expect(exchange(occ, 5).text).toContain(`${output}(exit ${exitCode})`)
		expect(exApp.received.at(-1)?.body).toBe('{"occ":{"arguments":null,"options":null}}')
	})

	it('is gone after it was unregistered', async () => {
		const { request, answer } = exchange(occ, 6)
		expectAsRecorded(await send(shell, request), answer)
		expect(await shell.occ('sipcall:bad')).toEqual({ exitCode: 1, output: 'Command "sipcall:bad" is not defined.\n' })
		expect(await shell.occ('sipcall:hello')).toEqual({ exitCode: 1, output: 'Not enough arguments (missing: "who").\n' })
	})
})

describe('setup checks', () => {
	it('are not known to a Nextcloud 32', async () => {
		const { status } = await send(shell, { ...exchange(occ, 1).request, path: '/ocs/v2.php/apps/app_api/api/v1/setup_check', body: '' })
		expect(status).toBe(404)
	})
})
