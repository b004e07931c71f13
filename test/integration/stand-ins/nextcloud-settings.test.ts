// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell } from '../../stand-ins/nextcloud/recordings.ts'

const recording = readRecording('18-declarative-settings')

/** Pages, rows of the database, and the listings with the forms of other apps in them. */
const OTHERWISE = new Set([2, 6, 7, 23, 24, 26, 27, 31, 33, 38, 39, 41])

let shell: NextcloudShell

beforeAll(async () => {
	shell = await startRecordedShell()
})

afterAll(() => shell.stop())

const titled = (from: number, to: number) => recording.filter(({ number }) => number >= from && number <= to && !OTHERWISE.has(number)).map((each) => [each.number, each.title, each] as const)
const list = async () => JSON.parse((await send(shell, exchange(recording, 7).request)).body).ocs.data
async function shown(formId: string, fieldId: string) {
	const form = (await list()).find(({ id }: { id: string }) => id === formId)
	return form.fields.find(({ id }: { id: string }) => id === fieldId).value
}
const page = (path: string) => send(shell, { ...exchange(recording, 38).request, path })

describe('the forms of settings, one call after the other as recorded', () => {
	describe('until they are saved', () => {
		it.each(titled(1, 8))('%i. %s', async (_number, _title, { request, answer }) => {
			expectAsRecorded(await send(shell, request), answer)
		})

		it('7. shows an admin the defaults, as text where they are numbers or lists', async () => {
			const recorded = exchange(recording, 7).answer.body
			const form = (await list()).find(({ id }: { id: string }) => id === 'sipcall_admin')
			// PHP and JavaScript write the same JSON but for the slashes.
			expect(recorded).toContain(JSON.stringify(form))
		})
	})

	describe('when they are saved', () => {
		it.each(titled(9, 25))('%i. %s', async (_number, _title, { request, answer }) => {
			expectAsRecorded(await send(shell, request), answer)
		})

		it('24. gives the ExApp the ciphertext of a field it has not made sensitive itself', async () => {
			const { request, answer } = exchange(recording, 24)
			const values = (body: string) => Object.fromEntries(JSON.parse(body).ocs.data.map(({ configkey, configvalue }: Record<string, string>) => [configkey, configvalue]))
			const ours = values((await send(shell, request)).body)
			const theirs = values(answer.body)
			const cipher = expect.stringMatching(/^[0-9a-f]+\|[0-9a-f]+\|[0-9a-f]+\|3$/)
			expect(theirs.esl_password).toEqual(cipher)
			expect(ours).toEqual({ ...theirs, esl_password: cipher })
		})

		it('26. shows an admin the clear text', async () => {
			expect(await shown('sipcall_admin', 'esl_password')).toBe('ClueCon-3')
			expect(exchange(recording, 26).answer.body).toContain('"value":"ClueCon-3"')
		})
	})

	describe('when the ExApp has made the key sensitive first', () => {
		it.each(titled(28, 37))('%i. %s', async (_number, _title, { request, answer }) => {
			expectAsRecorded(await send(shell, request), answer, ['id'])
		})

		it('38., 39. one unknown type of a field breaks every page of settings, until it is gone', async () => {
			expect([(await page('/index.php/settings/admin/additional')).status, (await page('/index.php/settings/user')).status]).toEqual([500, 500])
			const { request, answer } = exchange(recording, 40)
			expectAsRecorded(await send(shell, request), answer)
			expect((await page('/index.php/settings/admin/additional')).status).toBe(200)
			expect((await list()).map(({ id }: { id: string }) => id)).toEqual(['sipcall_admin', 'sipcall_personal'])
		})
	})
})

describe('the settings page', () => {
	it('takes the app\'s name off a form\'s, answers 200 and stores nothing', () => {
		expect(shell.saveSetting('admin', 'sipcall_admin', 'esl_host', 'lost.example')).toBe(200)
		expect(shell.config.read('esl_host')).toBe('fs.example')
	})

	it('stores a form by any other name', async () => {
		const { request } = exchange(recording, 4)
		await send(shell, { ...request, body: request.body.replace('"id": "sipcall_personal"', '"id": "calling"').replace('"personal"', '"admin"') })
		expect(shell.saveSetting('admin', 'calling', 'extension', '1000')).toBe(200)
		expect(shell.config.read('extension')).toBe('1000')
		expect(shell.saveSetting('alice', 'calling', 'extension', '1001')).toBe(403)
		expect(shell.saveSetting('admin', 'calling', 'nosuch', 'x')).toBe(400)
	})
})
