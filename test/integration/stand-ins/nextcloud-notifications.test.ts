// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell } from '../../stand-ins/nextcloud/recordings.ts'

const recording = readRecording('07-notification-log')

let shell: NextcloudShell

beforeAll(async () => {
	shell = await startRecordedShell()
})

afterAll(() => shell.stop())

describe('notifications and log, one call after the other as recorded', () => {
	it.each(recording.slice(0, 12).map((each) => [each.number, each.title, each] as const))('%i. %s', async (_number, _title, { request, answer }) => {
		expectAsRecorded(await send(shell, request), answer, ['datetime', 'notification_id'])
	})
})

describe('what a user sees', () => {
	it('is seen on the object as well, and is nothing while the app is disabled', async () => {
		await send(shell, exchange(recording, 1).request)
		expect(shell.notifications('alice').map(({ subject, message }) => [subject, message])).toEqual([['Missed call from Erika Beispiel', 'at 10:15 for @Alice']])
		expect(shell.notifications('bob')).toEqual([])
		await shell.disable()
		expect(shell.notifications('alice')).toEqual([])
	})
})
