// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'
import type { RecordingExApp } from '../../stand-ins/nextcloud/recordings.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectAsRecorded, expectReceivedAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell, startRecordingExApp } from '../../stand-ins/nextcloud/recordings.ts'

const recording = readRecording('02-register-lifecycle')
const refusals = readRecording('22-lockout-persistence')
const users = readRecording('05-users-impersonation')
const status = exchange(refusals, 9).request

let shell: NextcloudShell
let exApp: RecordingExApp

beforeEach(async () => {
	exApp = await startRecordingExApp()
	shell = await startRecordedShell({ exAppUrl: exApp.url, enabled: false })
})

afterEach(async () => {
	await shell.stop()
	await exApp.stop()
})

const report = (progress: number, error = '') => send(shell, { ...status, body: JSON.stringify({ progress, error }) })
const state = async () => JSON.parse((await send(shell, exchange(recording, 6).request)).body).ocs.data

/** An ExApp that sets itself up once it has answered `/init`. */
function reportOnInit(...steps: [progress: number, error?: string][]): Promise<void> {
	return new Promise((resolve, reject) => {
		const usual = exApp.reply
		exApp.reply = (request) => {
			if (request.path === '/init') {
				setImmediate(async () => {
					try {
						for (const [progress, error] of steps) {
							await report(progress, error)
						}
						resolve()
					} catch (failed) {
						reject(failed)
					}
				})
			}
			return usual(request)
		}
	})
}

describe('register', () => {
	it('calls heartbeat, init, and at 100 % heartbeat and enabled, with the recorded headers', async () => {
		const reported = reportOnInit([1], [50], [100])
		expect(await shell.register()).toEqual({ exitCode: 0, output: 'ExApp sipcall deployed successfully.\nExApp sipcall successfully registered.\n' })
		await reported
		// The recording begins with the end of an earlier registration.
		expectReceivedAsRecorded(exApp.received, exchange(recording, 1).received.slice(1))
		expect(shell.reports).toEqual([{ progress: 1, error: '' }, { progress: 50, error: '' }, { progress: 100, error: '' }])
		expect(shell.exApp).toMatchObject({ isEnabled: true, status: { init: 100, error: '' } })
	})

	it('has enabled the app before it answers the report of 100 %', async () => {
		const order: string[] = []
		const usual = exApp.reply
		const reported = new Promise<void>((resolve) => {
			exApp.reply = (request) => {
				order.push(request.path)
				if (request.path === '/init') {
					void report(100).then(() => {
						order.push('answered')
						resolve()
					})
				}
				return usual(request)
			}
		})
		await shell.register()
		await reported
		expect(order).toEqual(['/heartbeat', '/init', '/heartbeat', '/enabled?enabled=1', 'answered'])
	})

	it('lets the app use the API while it sets itself up', async () => {
		expect(await state()).toBe(0)
		const usual = exApp.reply
		let duringInit: unknown
		exApp.reply = async (request) => {
			if (request.path === '/init') {
				duringInit = await state()
				return { status: 404, body: '' }
			}
			return usual(request)
		}
		await shell.register()
		expect(duringInit).toBe(1)
		expect(exApp.received.map(({ path }) => path)).toEqual(['/heartbeat', '/init', '/heartbeat', '/enabled?enabled=1'])
	})

	it('says success and leaves the app disabled when /enabled answers an error', async () => {
		const usual = exApp.reply
		exApp.reply = (request) => request.path.startsWith('/enabled') ? { status: 200, body: '{"error":"FreeSWITCH is not reachable"}' } : usual(request)
		void reportOnInit([100])
		expect(exchange(refusals, 7).text).toContain((await shell.register()).output)
		expect(shell.exApp.isEnabled).toBe(false)
		expect(exchange(refusals, 8).text).toContain((await shell.enable()).output)
	})

	it('fails with the words of a set-up that failed, and when nobody is there', async () => {
		void reportOnInit([1], [0, 'cannot reach FreeSWITCH'])
		expect(await shell.register()).toEqual({ exitCode: 1, output: 'ExApp sipcall deployed successfully.\nExApp sipcall initialization step failed. Error: cannot reach FreeSWITCH\n' })
		expect(await shell.register()).toEqual({ exitCode: 3, output: 'ExApp sipcall is already registered.\n' })
		await shell.unregister()
		await exApp.stop()
		expect((await shell.register()).output).toContain('heartbeat check failed')
	})
})

describe('an app that is there', () => {
	beforeEach(async () => {
		void reportOnInit([100])
		await shell.register()
		exApp.received.length = 0
	})

	it('is disabled, enabled and unregistered as recorded', async () => {
		for (const [number, step] of [[2, shell.disable], [3, shell.enable], [9, shell.unregister]] as const) {
			exApp.received.length = 0
			const { exitCode, output } = await step()
			expect(exchange(recording, number).text).toContain(`${output}(exit ${exitCode})`)
			expectReceivedAsRecorded(exApp.received, exchange(recording, number).received)
		}
	})

	it('may only ask for its state while it is disabled, and its proxy is gone', async () => {
		await shell.disable()
		for (const number of [6, 7, 8]) {
			const { request, answer } = exchange(recording, number)
			expectAsRecorded(await send(shell, request), answer)
		}
		expect((await send(shell, { ...exchange(recording, 8).request, path: '/index.php/apps/app_api/embedded/sipcall/calls' })).status).toBe(404)
	})

	it('keeps config and preferences when it goes, and loses what it has registered', async () => {
		shell.config.write('homeCountry', '"DE"')
		shell.preferences('alice').write('extension', '1001')
		await send(shell, exchange(readRecording('03-ui-register'), 1).request)
		expect(shell.registrations.topMenus).toHaveLength(1)
		await shell.disable()
		expect(shell.registrations.topMenus).toHaveLength(1)
		await shell.unregister()
		expect(shell.registrations.topMenus).toEqual([])
		expect([shell.config.read('homeCountry'), shell.preferences('alice').read('extension')]).toEqual(['"DE"', '1001'])
	})

	it('takes an error report after its set-up, and no progress of more than 100', async () => {
		for (const number of [9, 10]) {
			const { request, answer } = exchange(refusals, number)
			expectAsRecorded(await send(shell, request), answer)
		}
		expect(shell.exApp.status).toMatchObject({ init: 100, error: 'cannot reach FreeSWITCH' })
		await report(100)
		expect(exApp.received).toEqual([])
	})

	it('is disabled by its old version and set up again by an update', async () => {
		expect(await shell.update('1.1.0')).toEqual({
			exitCode: 0,
			output: 'ExApp sipcall successfully disabled.\nExApp sipcall update successfully deployed.\nExApp sipcall successfully updated.\n',
		})
		expect(exApp.received.map(({ method, path, headers }) => [`${method} ${path}`, headers.find(([name]) => name === 'EX-APP-VERSION')?.[1]])).toEqual([
			['PUT /enabled?enabled=0', '1.0.0'],
			['GET /heartbeat', undefined],
			['POST /init', '1.1.0'],
			['GET /heartbeat', undefined],
			['PUT /enabled?enabled=1', '1.1.0'],
		])
		expect(shell.exApp).toMatchObject({ version: '1.1.0', isEnabled: true })
		expect(await shell.update('1.1.0')).toEqual({ exitCode: 0, output: 'ExApp sipcall is already updated (1.1.0)\n' })
	})

	it('is described to an admin', async () => {
		const { request, answer } = exchange(users, 12)
		expectAsRecorded(await send(shell, request), answer, ['name', 'version', 'type', 'deploy_start_time', 'init_start_time'])
	})
})
