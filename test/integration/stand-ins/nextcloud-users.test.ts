// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell } from '../../stand-ins/nextcloud/recordings.ts'

const recording = readRecording('04-auth-errors')
const lockout = readRecording('22-lockout-persistence')
const users = readRecording('05-users-impersonation')

let shell: NextcloudShell

beforeAll(async () => {
	shell = await startRecordedShell()
})

afterAll(() => shell.stop())

const titled = (numbers: readonly number[], from: typeof recording) => numbers.map((number) => exchange(from, number)).map((each) => [each.number, each.title, each] as const)

describe('who may call', () => {
	beforeAll(() => shell.bruteForce.reset())

	it.each(titled([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12], recording))('%i. %s', async (_number, _title, { request, answer }) => {
		expectAsRecorded(await send(shell, request), answer)
	})

	it('has forgiven after that what a good call of the same name did wrong, and nothing else', () => {
		// As `occ security:bruteforce:attempts` said: 4 attempts, of two calls.
		expect(exchange(recording, 11).text).toContain('attempts: 4')
		expect(shell.bruteForce.wrongCalls).toBe(2)
	})

	it('takes over a version that is higher than the registered one', async () => {
		const { request, answer } = exchange(users, 14)
		expectAsRecorded(await send(shell, request), answer)
		expect(shell.exApp.version).toBe('1.0.1')
	})
})

describe('a wrong secret again and again', () => {
	const wrong = () => send(shell, exchange(recording, 1).request)
	const good = (version = '1') => send(shell, { ...exchange(lockout, 2).request, path: `/ocs/v${version}.php/apps/app_api/api/v1/users` })

	beforeEach(() => {
		shell.bruteForce.reset()
		shell.bruteForce.isOn = true
	})

	it('locks the address out after five calls, as recorded', async () => {
		const recorded = [...exchange(lockout, 1).text.matchAll(/^\d+\. -> (\d+)/gm)].map(([, status]) => Number(status))
		const statuses: number[] = []
		for (let call = 0; call < recorded.length; call++) {
			statuses.push((await wrong()).status)
		}
		expect(statuses).toEqual(recorded)
		expectAsRecorded(await good(), exchange(lockout, 2).answer)
		expect((await good('2')).status).toBe(429)
	})

	it('leaves the users at the proxy alone', async () => {
		for (let call = 0; call < 6; call++) {
			await wrong()
		}
		// No ExApp listens here, which is what the proxy answers 500 to.
		expect((await send(shell, exchange(lockout, 3).request)).status).toBe(500)
	})

	it('is only counted when the lockout is switched off', async () => {
		shell.bruteForce.isOn = false
		for (let call = 0; call < 6; call++) {
			expect((await wrong()).status).toBe(401)
		}
		expect(shell.bruteForce.wrongCalls).toBe(6)
		expect((await good()).status).toBe(200)
	})
})

describe('users', () => {
	it.each(titled([1, 2, 3, 4, 5, 6, 7, 8, 9, 11], users))('%i. %s', async (_number, _title, { request, answer }) => {
		expectAsRecorded(await send(shell, request), answer, ['firstLoginTimestamp', 'lastLoginTimestamp', 'lastLogin'])
	})

	it('10. capabilities as alice, as far as they matter', async () => {
		const { request, answer } = exchange(users, 10)
		const { status, body } = await send(shell, request)
		expect(status).toBe(answer.status)
		const { data } = JSON.parse(body).ocs
		expect(answer.body).toContain(JSON.stringify(data.version))
		expect(answer.body).toContain(`"app_api":${JSON.stringify(data.capabilities.app_api)}`)
	})

	it('come, are disabled and go while Nextcloud runs', async () => {
		const ask = (id: string) => send(shell, { ...exchange(users, 2).request, headers: exchange(users, 2).request.headers.map(([name, value]) => [name, name === 'AUTHORIZATION-APP-API' ? Buffer.from(`${id}:probe-secret-0123456789`).toString('base64') : value]) })
		shell.users.add({ id: 'carol', displayName: 'Carol', groups: ['sales'], phone: '+49 30 1', language: 'de' })
		expect(JSON.parse((await ask('carol')).body).ocs.data).toMatchObject({ id: 'carol', phone: '+49 30 1', language: 'de', enabled: true })
		shell.users.setEnabled('carol', false)
		expect((await ask('carol')).status).toBe(401)
		shell.users.setEnabled('carol', true)
		expect((await ask('carol')).status).toBe(200)
		shell.users.delete('carol')
		expect((await ask('carol')).status).toBe(401)
		expect(JSON.parse((await send(shell, exchange(users, 1).request)).body).ocs.data).toEqual(['admin', 'alice', 'bob'])
		// None of that is a wrong secret.
		expect(shell.bruteForce.isLockedOut('127.0.0.1')).toBe(false)
	})
})
