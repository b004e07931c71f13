// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell } from '../../stand-ins/nextcloud/recordings.ts'

const recording = readRecording('06-config')

let shell: NextcloudShell

beforeAll(async () => {
	shell = await startRecordedShell()
})

afterAll(() => shell.stop())

describe('app config and preferences, one call after the other as recorded', () => {
	it.each(recording.slice(0, 12).map((each) => [each.number, each.title, each] as const))('%i. %s', async (_number, _title, each) => {
		expectAsRecorded(await send(shell, each.request), each.answer, ['id'])
	})

	it('keeps a sensitive value encrypted', () => {
		expect(shell.config.list().map(({ configkey, configvalue, sensitive }) => [configkey, configvalue, sensitive])).toEqual([
			['esl_host', 'fs.example', 0],
			['esl_password', expect.stringMatching(/^[0-9a-f]+\|[0-9a-f]{32}\|[0-9a-f]{128}\|3$/), 1],
		])
		expect(shell.config.read('esl_password')).toBe('ClueCon-probe')
	})
})

describe('beyond the recording, after the code of AppAPI 32', () => {
	const write = (body: unknown) => send(shell, { ...exchange(recording, 1).request, body: JSON.stringify(body) })

	it.each([[true, '1'], [false, ''], [null, ''], [1.5, '1.5'], ['ä/ö', 'ä/ö']])('stores %j as %j', async (configValue, text) => {
		await write({ configKey: 'any', configValue })
		expect(shell.config.read('any')).toBe(text)
	})

	it('gives back nothing for a sensitive key that was written again without its mark', async () => {
		await write({ configKey: 'secret', configValue: 'one', sensitive: 1 })
		await write({ configKey: 'secret', configValue: 'two' })
		expect(shell.config.read('secret')).toBe('')
		await write({ configKey: 'secret', configValue: 'three', sensitive: 1 })
		expect(shell.config.read('secret')).toBe('three')
	})

	it('fails by its own words at an empty key, and as an exception at a list of keys that is none', async () => {
		expect(JSON.parse((await write({ configKey: '', configValue: 'x' })).body).ocs.meta).toMatchObject({ statuscode: 400, message: 'Config key cannot be empty' })
		const answer = await send(shell, { ...exchange(recording, 5).request, path: '/ocs/v2.php/apps/app_api/api/v1/ex-app/config/get-values', body: '{}' })
		expect([answer.status, JSON.parse(answer.body).ocs.meta.statuscode]).toEqual([500, 996])
	})
})
