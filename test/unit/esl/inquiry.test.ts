// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a real FreeSWITCH answered, and what a stranger's server might.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EslError } from '../../../lib/esl/esl-error.ts'
import { askDenied, askGateway, askGatewayNames, askVersion, readGateway, readStatus, switchFaultOf } from '../../../lib/esl/inquiry.ts'

/** The answers of a recording, in order. */
function answersOf(name: string): string[] {
	const bytes = readFileSync(new URL(`../../fixtures/freeswitch/${name}.server.txt`, import.meta.url), 'utf8')
	const answers: string[] = []
	for (const head = /Content-Type: api\/response\nContent-Length: (\d+)\n\n/g; ;) {
		const found = head.exec(bytes)
		if (found === null) {
			return answers
		}
		answers.push(bytes.slice(head.lastIndex, head.lastIndex + Number(found[1])))
	}
}

const RECORDED = answersOf('status_commands')
const find = (pattern: RegExp) => RECORDED.find((answer) => pattern.test(answer)) ?? ''
const says = (answer: string) => async () => answer

describe('how busy a switch is', () => {
	it('stands in the status of a recording', () => {
		expect(readStatus(find(/^UP \d/))).toEqual({ isAccepting: true, sessions: 0, maxSessions: 5000, sessionsPerSec: 1000 })
	})

	it('is not known where it is not told, and a switch that is paused is not ready', () => {
		expect(readStatus('-ERR permission denied\n')).toEqual({})
		expect(readStatus(find(/^UP \d/).replace(' is ready', ' is not ready'))).toMatchObject({ isAccepting: false })
	})
})

describe('a gateway in a recording', () => {
	it('without ping and registration is unwatched, with ping it answers, and one that is not there is missing', () => {
		expect(readGateway(find(/^Name {4}\ttrunk$/m))).toBe('unwatched')
		expect(readGateway(find(/^Name {4}\tpinged$/m))).toBe('answers')
		expect(readGateway(find(/^Invalid Gateway!/))).toBe('missing')
	})

	it('whose ping failed is silent', () => {
		expect(answersOf('gateway_pinged_down').filter((answer) => answer.includes('pinged')).map(readGateway)).toContain('silent')
	})

	it.each([
		['REGED', 'UP', 'registered'],
		['TRYING', 'UP', 'registering'],
		['FAIL_WAIT', 'DOWN', 'registration_failed'],
		['FAILED', 'DOWN (ping)', 'registration_failed'],
		['NOREG', 'DOWN', 'silent'],
	])('in state %s and %s is %s', (state, status, condition) => {
		const text = find(/^Name {4}\ttrunk$/m).replace('NOREG', state).replace(/^Status .*$/m, `Status  \t${status}`)
		expect(readGateway(text)).toBe(condition)
	})

	it('that nobody may ask for is not told, and no name but a gateway’s is asked for', async () => {
		expect(await askGateway(says('-ERR permission denied'), 'trunk')).toBe('not_told')
		await expect(askGateway(says(''), 'trunk\n\napi system id')).rejects.toMatchObject({ code: 'unsafe_command' })
	})
})

describe('what the switch tells', () => {
	it('is its version and its gateways’ names', async () => {
		expect(await askVersion(says(find(/^1\.10\.12-release$/m)))).toBe('1.10.12-release')
		expect(await askGatewayNames(says(find(/<profiles>/)))).toEqual(['pinged', 'trunk'])
	})

	it('is dropped where it is nothing of the kind', async () => {
		expect(await askVersion(says('-ERR permission denied'))).toBeUndefined()
		expect(await askVersion(says('1.10<script>'))).toBeUndefined()
		expect(await askGatewayNames(says('-ERR permission denied'))).toBeUndefined()
		expect(await askGatewayNames(says('<profiles><gateway><name>a b</name></gateway><gateway><name>${x}</name></gateway><gateway><name>good</name></gateway></profiles>'))).toEqual(['good'])
		expect(await askGatewayNames(says(`<profiles>${'<gateway><name>a</name></gateway>'.repeat(3)}</profiles>`))).toEqual(['a'])
	})

	it('is which commands are denied, or not there; each is given without an argument', async () => {
		const asked: string[] = []
		const denied = await askDenied(async (line) => {
			asked.push(line)
			return line === 'api uuid_kill' ? '-ERR permission denied\n' : line === 'api sofia' ? '-ERR sofia Command not found!\n' : '-USAGE: …\n'
		})
		expect(denied).toEqual(['uuid_kill', 'sofia'])
		expect(asked.every((line) => /^api [a-z_]+$/.test(line))).toBe(true)
		expect(asked).toContain('api originate')
	})
})

describe('a connection that could not be had', () => {
	const socketError = (code: string) => Object.assign(new Error(code), { code })

	it.each([
		[new EslError('unreachable', '', { cause: socketError('ECONNREFUSED') }), 'port_closed'],
		[new EslError('unreachable', '', { cause: socketError('ENOTFOUND') }), 'host_unknown'],
		[new EslError('unreachable', '', { cause: socketError('EHOSTUNREACH') }), 'no_answer'],
		[new EslError('unreachable', ''), 'no_answer'],
		[new EslError('unreachable', '', { cause: new Error('A frame without a length') }), 'no_event_socket'],
		[new EslError('unreachable', '', { cause: new EslError('connection_lost', 'closed') }), 'no_event_socket'],
		[new EslError('password_refused', ''), 'password_refused'],
		[new EslError('address_refused', ''), 'address_refused'],
		[new EslError('timeout', ''), 'no_answer'],
		[new EslError('connection_lost', ''), 'lost'],
	])('by %o is told as %s', (error, fault) => {
		expect(switchFaultOf(error)).toBe(fault)
	})
})
