// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SnippetValues } from '../../../lib/esl/config-snippets.ts'

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configSnippets } from '../../../lib/esl/config-snippets.ts'
import { ASKED_COMMANDS, NEEDED_COMMANDS } from '../../../lib/esl/inquiry.ts'

const VALUES: SnippetValues = { port: 8021, user: null, gateways: ['trunk'], address: '10.1.2.3', ownPort: 23000 }
const snippets = (change: Partial<SnippetValues> = {}) => configSnippets({ ...VALUES, ...change })
const textOf = (id: string, change?: Partial<SnippetValues>) => snippets(change).find((snippet) => snippet.id === id)?.text ?? ''

/** Whether each element that begins ends, in order, and attributes are quoted; a browser's parser reads them in test/e2e/snippets.test.ts. */
function isWellFormed(xml: string): boolean {
	const open: string[] = []
	const left = xml.replaceAll(/<(\/?)([a-z_]+)((?: [a-z-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos);[^"<&]*)*")*)(\/?)>/g, (_tag, closing: string, name: string, _attributes, empty: string) => {
		if (closing === '/') {
			return open.pop() === name ? '' : '!'
		}
		if (empty === '') {
			open.push(name)
		}
		return ''
	})
	return left.trim() === '' && open.length === 0
}

/** The names and values of all `param`, wherever they are. */
function params(xml: string): Record<string, string> {
	return Object.fromEntries([...xml.matchAll(/<param name="([^"]*)" value="([^"]*)"\/>/g)].map(([, name = '', value = '']) => [name, value]))
}

describe('the configuration of FreeSWITCH', () => {
	it('is well-formed XML in the files to which it belongs', () => {
		for (const { text } of snippets()) {
			expect(isWellFormed(text), text).toBe(true)
		}
		expect(snippets({ gateways: ['trunk', 'second'] }).map(({ id, file }) => [id, file])).toEqual([
			['event_socket', 'autoload_configs/event_socket.conf.xml'],
			['acl', 'autoload_configs/acl.conf.xml'],
			['user', 'directory/default/sipcall.xml'],
			['gateway', 'sip_profiles/external/trunk.xml'],
			['gateway', 'sip_profiles/external/second.xml'],
			['json_cdr', 'autoload_configs/json_cdr.conf.xml'],
		])
	})

	it('lets in the address from which SIPCall connects, and nobody else', () => {
		const node = (address: string | undefined) => /^<list name="sipcall" default="deny">\n {2}<node type="allow" cidr="([^"]*)"\/>\n<\/list>$/.exec(textOf('acl', { address }))?.[1]
		expect(node('10.1.2.3')).toBe('10.1.2.3/32')
		expect(node('::ffff:10.1.2.3')).toBe('10.1.2.3/32')
		expect(node('fd00::7')).toBe('fd00::7/128')
		expect(node(undefined)).toBe('ADDRESS-OF-SIPCALL/32')
		expect(params(textOf('event_socket'))).toEqual({ 'listen-ip': '0.0.0.0', 'listen-port': '8021', password: 'A-LONG-RANDOM-PASSWORD', 'apply-inbound-acl': 'sipcall' })
		expect(params(textOf('event_socket', { address: 'fd00::7' }))['listen-ip']).toBe('::')
	})

	it('stays on the machine where both are on one', () => {
		expect(params(textOf('event_socket', { address: '127.0.0.1' }))).toEqual({ 'listen-ip': '127.0.0.1', 'listen-port': '8021', password: 'A-LONG-RANDOM-PASSWORD' })
		expect(textOf('acl', { address: '127.0.0.1' })).toBe('')
	})

	it('gives the user of its own the rights that are needed, and no phone', () => {
		const own = params(textOf('user', { user: 'app@pbx.example' }))
		expect(own['esl-allowed-api']?.split(' ')).toEqual([...NEEDED_COMMANDS, ...ASKED_COMMANDS])
		expect(own['esl-allowed-events']?.split(' ')).toEqual(expect.arrayContaining(['CHANNEL_ANSWER', 'CHANNEL_HANGUP_COMPLETE', 'BACKGROUND_JOB', 'HEARTBEAT', 'SHUTDOWN']))
		// What follows CUSTOM are subclasses (auth_api_command's sibling in mod_event_socket.c reads them so).
		expect(own['esl-allowed-events']).toMatch(/ CUSTOM sofia::gateway_state$/)
		expect(own).toMatchObject({ 'esl-allowed-log': 'false', 'allow-empty-password': 'false' })
		expect(snippets({ user: 'app@pbx.example' }).find(({ id }) => id === 'user')?.file).toBe('directory/default/app.xml')
	})

	it('is told in the documentation by the same commands', () => {
		const text = readFileSync(new URL('../../../docs/admin/freeswitch.md', import.meta.url), 'utf8')
		for (const command of [...NEEDED_COMMANDS, ...ASKED_COMMANDS]) {
			expect(text, command).toMatch(new RegExp(`\`(?:bg)?api ${command}\``))
		}
	})

	it('has FreeSWITCH watch the gateway, and bring call records to where SIPCall listens', () => {
		expect(params(textOf('gateway'))).toMatchObject({ register: 'true', ping: '25', 'ping-min': '1' })
		expect(params(textOf('json_cdr')).url).toBe('http://10.1.2.3:23000/freeswitch/cdr')
		expect(params(textOf('json_cdr', { address: 'fd00::7' })).url).toBe('http://[fd00::7]:23000/freeswitch/cdr')
		expect(params(textOf('json_cdr', { address: undefined, ownPort: undefined })).url).toBe('http://ADDRESS-OF-SIPCALL:PORT-OF-SIPCALL/freeswitch/cdr')
	})

	it('takes no name and no address that could be something else', () => {
		const hostile = snippets({ user: '"/><param@x', gateways: ['../../evil', 'a"b', 'good'], address: '10.1.2.3"/><node' })
		expect(hostile.map(({ file }) => file)).toEqual(['autoload_configs/event_socket.conf.xml', 'autoload_configs/acl.conf.xml', 'directory/default/sipcall.xml', 'sip_profiles/external/good.xml', 'autoload_configs/json_cdr.conf.xml'])
		expect(JSON.stringify(hostile)).not.toMatch(/evil|a\\"b|node\\"\/><node|"\/><param@/)
		expect(textOf('acl', { address: '10.1.2.3"/><node' })).toContain('ADDRESS-OF-SIPCALL')
	})
})
