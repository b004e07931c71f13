// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { OcsRequest } from '../../../lib/nextcloud/ocs-client.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NextcloudLog, tellingLog } from '../../../lib/nextcloud/nextcloud-log.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

describe('the way into Nextcloud’s log', () => {
	let sent: { level: number, message: string }[]
	let isRefused: boolean
	let isEnabled: boolean
	let fails: boolean
	let log: NextcloudLog

	beforeEach(() => {
		vi.useFakeTimers()
		sent = []
		isRefused = false
		isEnabled = true
		fails = false
		log = new NextcloudLog({
			get isRefused() {
				return isRefused
			},
			request: async ({ path, method, body }: OcsRequest) => {
				expect([method, path]).toEqual(['POST', '/apps/app_api/api/v1/log'])
				sent.push(body as typeof sent[number])
				if (fails) {
					throw new Error('Nextcloud is away')
				}
				return { status: 200, data: [] }
			},
		}, () => isEnabled)
	})

	afterEach(() => {
		vi.useRealTimers()
	})

	it('takes warnings and errors with what a reader needs, and no number', async () => {
		await log.tell('warn', 'A leg to +49 30 123456 is gone', { component: 'calls', callUuid: '6572f8d8-62e2-4726-bfe4-ada3055e4078', password: 'a secret', more: 1 })
		await log.tell('error', 'It failed', { error: new Error('no answer from 030 1234567') })
		expect(sent).toEqual([
			{ level: 2, message: 'A leg to +49 ••••56 is gone [component calls, callUuid 6572f8d8-62e2-4726-bfe4-ada3055e4078]' },
			{ level: 3, message: 'It failed: no answer from ••••67' },
		])
	})

	it('takes ten lines a minute, each once, and says how many were left out', async () => {
		for (let line = 0; line < 25; line++) {
			await log.tell('warn', `line ${line}`, {})
		}
		await log.tell('warn', 'line 1', {})
		expect(sent.map(({ message }) => message)).toEqual(Array.from({ length: 10 }, (_, line) => `line ${line}`))
		await vi.advanceTimersByTimeAsync(61_000)
		await log.tell('warn', 'line 1', {})
		expect(sent.at(-1)?.message).toBe('line 1 (16 lines more stand in the log of SIPCall’s container)')
	})

	it('is left alone while Nextcloud refuses the app or has it disabled, and harms nobody when it fails', async () => {
		isRefused = true
		await log.tell('error', 'one', {})
		isRefused = false
		isEnabled = false
		await log.tell('error', 'another', {})
		expect(sent).toEqual([])
		isEnabled = true
		fails = true
		await log.tell('error', 'two', {})
		expect(sent).toHaveLength(1)
	})

	it('is told of warnings and errors alone, of children too, with what stands in their lines', () => {
		const told = vi.fn<(level: string, message: string, fields: object) => void>()
		const own = new RecordedLog()
		const child = tellingLog(own, told).child({ component: 'esl' }).child({ node: 'a' })
		child.info('fine')
		child.debug('fine')
		child.warn('odd', { code: 'x' })
		child.error('bad')
		expect(own.lines).toHaveLength(4)
		expect(told.mock.calls).toEqual([['warn', 'odd', { component: 'esl', node: 'a', code: 'x' }], ['error', 'bad', { component: 'esl', node: 'a' }]])
	})
})
