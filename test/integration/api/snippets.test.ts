// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// FreeSWITCH's configuration over HTTP, from what is saved and from the connection that is there.

import type { SnippetsJson } from '../../../lib/http/routes/snippets.ts'
import type { TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

const SECRETS = { cdrSecret: 'the-secret-of-call-records-0123456789', metricsToken: 'the-token-of-the-collector-0123456789' }

let test: TestApp

beforeAll(async () => {
	test = await startTestApp()
	await test.prepare({ gateways: ['one', 'two'], ...SECRETS })
})

afterAll(() => test.stop())

describe('what belongs into FreeSWITCH’s configuration', () => {
	it('has the values of the settings, the port and the address, and no secret', async () => {
		const { status, body, text } = await test.as('demo').get<SnippetsJson>('/admin/freeswitch/snippets')
		expect(status).toBe(200)
		// Both are on one machine here: nobody else has to be let in.
		expect(body.snippets.map(({ file }) => file)).toEqual(['autoload_configs/event_socket.conf.xml', 'directory/default/sipcall.xml', 'sip_profiles/external/one.xml', 'sip_profiles/external/two.xml', 'autoload_configs/json_cdr.conf.xml'])
		expect(body.snippets[0]?.text).toContain(`<param name="listen-port" value="${test.freeSwitch.port}"/>`)
		expect(body.snippets[0]?.text).toContain('<param name="listen-ip" value="127.0.0.1"/>')
		for (const secret of [test.freeSwitch.password, ...Object.values(SECRETS)]) {
			expect(text).not.toContain(secret)
		}
	})

	it('allows a user of the directory all that a call, a test and the doctor ask for', async () => {
		const { body } = await test.as('demo').get<SnippetsJson>('/admin/freeswitch/snippets')
		const allowed = /name="esl-allowed-api" value="([^"]*)"/.exec(body.snippets.find(({ id }) => id === 'user')?.text ?? '')?.[1]?.split(' ') ?? []
		const demo = test.as('demo')
		await demo.get('/admin/health')
		const { body: call } = await demo.call('+4930123400')
		await demo.hangUp(call.uuid)
		await demo.untilEnded(call.uuid)
		const asked = new Set(test.freeSwitch.commands.flatMap(({ command }) => /^(?:bg)?api (\w+)/.exec(command)?.[1] ?? []))
		expect(asked).toContain('originate')
		expect([...asked].filter((command) => !allowed.includes(command))).toEqual([])
	})
})
