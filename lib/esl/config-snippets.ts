// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// FreeSWITCH's configuration for SIPCall, with an admin's own values: pieces of XML to put into its files. A secret is never in
// them; what has to be filled in stands in capitals.

import { isIP } from 'node:net'
import { escapeXml } from '../xml-text.ts'
import { GATEWAY_SUBCLASS, SUBSCRIPTION } from './event-parser.ts'
import { ASKED_COMMANDS, NEEDED_COMMANDS } from './inquiry.ts'
import { isOfKind } from './whitelist.ts'

export type SnippetId = 'event_socket' | 'acl' | 'user' | 'gateway' | 'json_cdr'

export interface Snippet {
	id: SnippetId
	/** Below FreeSWITCH's `conf` folder. */
	file: string
	text: string
}

export interface SnippetValues {
	/** Of the Event Socket. */
	port: number
	/** `user@domain`; null = the password of event_socket.conf.xml is used. */
	user: string | null
	gateways: readonly string[]
	/** From which SIPCall connects, as its own machine sees it; undefined = not known. */
	address: string | undefined
	/** Of SIPCall itself; undefined = it listens on no port. */
	ownPort: number | undefined
}

const [PASSWORD, ADDRESS, ACCOUNT, COMPANY, SECRET] = ['A-LONG-RANDOM-PASSWORD', 'ADDRESS-OF-SIPCALL', 'NAME-OF-THE-ACCOUNT', 'HOST-OF-THE-PHONE-COMPANY', 'THE-SECRET-OF-CALL-RECORDS'] as const
const LIST = 'sipcall'
const USER = 'sipcall'

export function configSnippets({ port, user, gateways, address, ownPort }: SnippetValues): Snippet[] {
	const own = plainAddress(address)
	const isLocal = own !== undefined && (own === '::1' || own.startsWith('127.'))
	const [name = USER] = user?.split('@') ?? []
	const known = isOfKind('name', name) ? name : USER
	return [
		{
			id: 'event_socket',
			file: 'autoload_configs/event_socket.conf.xml',
			text: configuration('event_socket.conf', 'Socket Client', [
				['listen-ip', isLocal ? own : own !== undefined && isIP(own) === 6 ? '::' : '0.0.0.0'],
				['listen-port', String(port)],
				['password', PASSWORD],
				// Without a list FreeSWITCH takes its own machine alone.
				...(isLocal ? [] : [['apply-inbound-acl', LIST] as const]),
			]),
		},
		...(isLocal
			? []
			: [{
					id: 'acl' as const,
					file: 'autoload_configs/acl.conf.xml',
					text: element('list', { name: LIST, default: 'deny' }, [element('node', { type: 'allow', cidr: own === undefined ? `${ADDRESS}/32` : `${own}/${isIP(own) === 6 ? 128 : 32}` })]),
				}]),
		{
			id: 'user',
			file: `directory/default/${known}.xml`,
			text: element('include', {}, [element('user', { id: known }, [element('params', {}, [
				param('esl-password', PASSWORD),
				param('esl-allowed-api', [...NEEDED_COMMANDS, ...ASKED_COMMANDS].join(' ')),
				param('esl-allowed-events', [...SUBSCRIPTION, 'HEARTBEAT', 'SHUTDOWN', 'CUSTOM', GATEWAY_SUBCLASS].join(' ')),
				param('esl-allowed-log', 'false'),
				// It is no phone: without a password of its own anybody could register as one.
				param('allow-empty-password', 'false'),
			])])]),
		},
		...gateways.filter((gateway) => isOfKind('name', gateway)).map((gateway): Snippet => ({
			id: 'gateway',
			file: `sip_profiles/external/${gateway}.xml`,
			text: element('include', {}, [element('gateway', { name: gateway }, [
				param('proxy', COMPANY),
				param('username', ACCOUNT),
				param('password', PASSWORD),
				param('register', 'true'),
				param('retry-seconds', '30'),
				param('ping', '25'),
				param('ping-min', '1'),
			])]),
		})),
		{
			id: 'json_cdr',
			file: 'autoload_configs/json_cdr.conf.xml',
			text: configuration('json_cdr.conf', 'JSON CDR', [
				['url', `http://${own === undefined ? ADDRESS : isIP(own) === 6 ? `[${own}]` : own}:${ownPort ?? 'PORT-OF-SIPCALL'}/freeswitch/cdr`],
				['cred', `freeswitch:${SECRET}`],
				['auth-scheme', 'basic'],
				['encode', 'false'],
				['encode-values', 'true'],
				['log-b-leg', 'true'],
				['timeout', '5'],
				['retries', '1'],
				['delay', '1'],
				['err-log-dir', '/var/log/freeswitch/json_cdr'],
			]),
		},
	]
}

/** An IPv4 address that a socket for both kinds tells as one of IPv6 is told as what it is. */
function plainAddress(address: string | undefined): string | undefined {
	const plain = address?.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '')
	return plain !== undefined && isIP(plain) > 0 ? plain : undefined
}

function configuration(name: string, description: string, params: readonly (readonly [name: string, value: string])[]): string {
	return element('configuration', { name, description }, [element('settings', {}, params.map(([key, value]) => param(key, value)))])
}

function param(name: string, value: string): string {
	return element('param', { name, value })
}

function element(tag: string, attributes: Readonly<Record<string, string>>, children: readonly string[] = []): string {
	const opening = [tag, ...Object.entries(attributes).map(([name, value]) => `${name}="${escapeXml(value)}"`)].join(' ')
	return children.length === 0 ? `<${opening}/>` : `<${opening}>\n${children.join('\n').replaceAll(/^/gm, '  ')}\n</${tag}>`
}
