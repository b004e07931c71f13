// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The manifest: its form, and that it opens exactly the addresses that are meant, to those who are meant.

import type { ManifestRoute, XmlElement } from '../../../scripts/manifest.ts'
import type { Visitor } from './route-matching.ts'

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ENVIRONMENT } from '../../../lib/config.ts'
import { elementsAt, jsonInfo, parseXml, readManifest, textAt } from '../../../scripts/manifest.ts'
import { harp, newAppApi, oldAppApi } from './route-matching.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')
const XML = read('appinfo/info.xml')
const manifest = readManifest(XML)
const MATCHERS = { 'AppAPI 32.0.0': oldAppApi, 'AppAPI 35': newAppApi, HaRP: harp }
const UUID = '0196f3a2-5c1e-7bbb-8000-00805f9b34fb'

function lines(text: string): [verb: string, address: string][] {
	return text.trim().split(/\n\s*/).map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
}

interface Rule {
	name: string
	/** How often it may stand there; once when left out. */
	times?: [least: number, most: number]
	text?: RegExp
	children?: Rule[]
}

const LIST = /^\[(?:(?:\d{3}|"[a-z-]+")(?:,(?=[\d"])|(?=\])))*\]$/
const HTTPS = /^https:\/\/[\w.-]+\/\S+$/

/** Elements in the order of the app store's schema; `external-app` in AppAPI's. */
const SCHEMA: Rule[] = [
	{ name: 'id', text: /^[a-z][a-z0-9_]*$/ },
	{ name: 'name', text: /^.{1,64}$/ },
	{ name: 'summary', text: /^.{1,128}$/ },
	{ name: 'description', text: /^[^]{200,}$/ },
	{ name: 'version', text: /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/ },
	{ name: 'licence', text: /^AGPL-3\.0-or-later$/ },
	{ name: 'author', times: [1, 9], text: /./ },
	{ name: 'documentation', children: [{ name: 'user', times: [0, 1], text: HTTPS }, { name: 'admin', times: [0, 1], text: HTTPS }, { name: 'developer', times: [0, 1], text: HTTPS }] },
	{ name: 'category', times: [1, 3], text: /^(?:customization|files|games|integration|monitoring|multimedia|office|organization|security|social|tools)$/ },
	{ name: 'website', times: [0, 1], text: HTTPS },
	{ name: 'bugs', text: HTTPS },
	{ name: 'repository', times: [0, 1], text: HTTPS },
	{ name: 'screenshot', times: [0, 10], text: HTTPS },
	{ name: 'dependencies', children: [{ name: 'nextcloud', text: /^$/ }] },
	{
		name: 'external-app',
		children: [
			{ name: 'docker-install', children: [{ name: 'registry', text: /^ghcr\.io$/ }, { name: 'image', text: /^sipcall\/sipcall$/ }, { name: 'image-tag', text: /^(?!latest)\S+$/ }] },
			{
				name: 'routes',
				children: [{
					name: 'route',
					times: [1, 99],
					children: [
						{ name: 'url', text: /^\^\\\/\?.+\$$/ },
						{ name: 'verb', text: /^(?:GET|POST|PUT|DELETE)(?:,(?:GET|POST|PUT|DELETE))*$/ },
						{ name: 'access_level', text: /^(?:PUBLIC|USER|ADMIN)$/ },
						{ name: 'headers_to_exclude', text: LIST },
						{ name: 'bruteforce_protection', text: LIST },
					],
				}],
			},
			{
				name: 'environment-variables',
				children: [{
					name: 'variable',
					times: [1, 99],
					// No default: an empty one became the text "Array" before AppAPI 35, and the sidecar has its own.
					children: [{ name: 'name', text: /^[A-Z][A-Z0-9_]*$/ }, { name: 'display-name', text: /./ }, { name: 'description', text: /./ }],
				}],
			},
		],
	},
]

function faults(element: XmlElement, rules: readonly Rule[]): string[] {
	const positions = element.children.map(({ name }) => rules.findIndex((rule) => rule.name === name))
	return [
		...element.children.filter((_, index) => positions[index] === -1).map(({ name }) => `${name} is not known in ${element.name}`),
		...positions.flatMap((position, index) => position < (positions[index - 1] ?? -1) ? [`${element.children[index]?.name} stands too late in ${element.name}`] : []),
		...rules.flatMap(({ name, times: [least, most] = [1, 1], text, children }) => {
			const found = element.children.filter((child) => child.name === name)
			return [
				...found.length < least || found.length > most ? [`${name} stands ${found.length} times in ${element.name}`] : [],
				...found.filter((child) => text !== undefined && !text.test(child.text.trim())).map((child) => `${name} is ${child.text}`),
				...found.flatMap((child) => children === undefined ? child.children.map((inner) => `${inner.name} in ${name}`) : faults(child, children)),
			]
		}),
	]
}

/** Through which level a visitor comes in, in all three matchers; they have to agree. */
function levelFor(verb: string, address: string, visitor: Visitor): ManifestRoute['accessLevel'] | undefined | string {
	const levels = Object.values(MATCHERS).map((matcher) => matcher(manifest.routes, verb, address.slice(1), visitor))
	return new Set(levels).size === 1 ? levels[0] : `they differ: ${Object.keys(MATCHERS).map((name, index) => `${name} ${levels[index]}`).join(', ')}`
}

/** The outer contract: verbs and addresses of users and of admins. */
const STATIC_ADDRESSES = lines(`
	GET /js/sipcall-main.js
	GET /css/sipcall-main.css
	GET /img/app.svg
	GET /img/app-dark.svg
`)
const USER_ADDRESSES = lines(`
	POST /call
	PUT /call/${UUID}
	DELETE /call/${UUID}
	GET /call/${UUID}/events
	POST /call/${UUID}/hold
	POST /call/${UUID}/unhold
	POST /call/${UUID}/dtmf
	POST /call/${UUID}/transfer
	GET /call-status/${UUID}
	GET /call-history
	GET /events
	POST /numbers/explain
	GET /contacts
	GET /me
	PUT /me
	POST /me/devices/${UUID}/verify
	POST /me/devices/${UUID}/confirm
	POST /privacy/preview
	POST /privacy/delete
	GET /privacy/export
	GET /privacy/receipt/${UUID}
`)
const ADMIN_ADDRESSES = lines(`
	GET /admin/metrics
	GET /admin/users
	PUT /admin/users/alice
	PUT /admin/users/a.b@c d
	GET /admin/config
	POST /admin/config
	POST /admin/config/test
	POST /admin/policy/explain
	GET /admin/policy/samples
	POST /admin/privacy/preview
	POST /admin/privacy/delete
	GET /admin/privacy/receipts
	GET /admin/privacy/retention
	POST /admin/test-call
	GET /admin/health
	GET /admin/audit-log
	GET /admin/audit-log/verify
	POST /admin/audit-log/verify
	GET /admin/keys
	POST /admin/keys/rotate
	DELETE /admin/call/${UUID}
`)
const AUTH_ADDRESSES = lines(`
	POST /auth
	POST /auth/refresh
	POST /auth/revoke
	GET /auth/login
`)
/** Nextcloud's own calls and those beside the proxy. */
const INNER_ADDRESSES = ['/heartbeat', '/init', '/enabled', '/occ/status', '/setup_checks', '/metrics', '/freeswitch/cdr', '/openapi.json']
const OUTSIDE = ['/', '/favicon.ico', '/js/sipcall-main.js.map/x', '/admin', '/admin/', '/administrator', '/callx', '/call/', '/x/call', '/api/v2/me', '/api/v1/', '/api/v1/init', '/lib/main.ts', '/js/.env', '/js/a/b.js']

describe('the manifest', () => {
	it('is well-formed and follows the schema', () => {
		expect(faults(parseXml(XML), SCHEMA)).toEqual([])
	})

	it('is for Nextcloud 32 to 35, and its versions agree with each other and with package.json', () => {
		const info = parseXml(XML)
		expect(elementsAt(info, 'dependencies/nextcloud')[0]?.attributes).toEqual({ 'min-version': '32', 'max-version': '35' })
		const { version } = JSON.parse(read('package.json')) as { version: string }
		expect([manifest.version, textAt(info, 'external-app/docker-install/image-tag')]).toEqual([version, version])
		expect(ENVIRONMENT.shape.APP_VERSION.parse(undefined)).toBe(version)
		expect(ENVIRONMENT.shape.APP_ID.parse(undefined)).toBe(manifest.id)
	})

	it('links to files of this repository that are there', () => {
		const links = [...XML.matchAll(/https:\/\/(?:github\.com\/sipcall\/sipcall\/blob|raw\.githubusercontent\.com\/sipcall\/sipcall)\/main\/([\w./-]+)/g)].map(([, file = '']) => file)
		expect(links.length).toBeGreaterThanOrEqual(3)
		expect(links.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
	})

	it('has no remark inside an element: AppAPI would take it for data', () => {
		expect(XML.slice(XML.indexOf('<info')).includes('<!--')).toBe(false)
	})

	it('offers the variables that an admin sets, with the words of lib/config.ts', () => {
		const forAdmins = Object.entries(ENVIRONMENT.shape)
			.map(([name, schema]) => ({ name, description: schema.description ?? '' }))
			// LOG_FORMAT is for a terminal; a container's log is JSON.
			.filter(({ name, description }) => !description.startsWith('Set by AppAPI') && name !== 'LOG_FORMAT')
		expect(manifest.variables.map(({ name, description }) => ({ name, description }))).toEqual(forAdmins)
	})

	it('becomes what occ takes for a manual install', () => {
		const info = JSON.parse(jsonInfo(manifest, { secret: 's', port: 9031 })) as { routes: { access_level: number }[] }
		expect(info).toMatchObject({ id: 'sipcall', name: 'SIPCall', version: '0.1.0', secret: 's', port: 9031 })
		expect(info.routes.map((route) => route.access_level)).toEqual(manifest.routes.map((route) => ['PUBLIC', 'USER', 'ADMIN'].indexOf(route.accessLevel)))
	})
})

describe('the routes', () => {
	it('open the user’s addresses to users and admins, not to the world', () => {
		for (const [verb, address] of [...STATIC_ADDRESSES, ...USER_ADDRESSES]) {
			expect([verb, address, levelFor(verb, address, 'nobody'), levelFor(verb, address, 'user'), levelFor(verb, address, 'admin')]).toEqual([verb, address, undefined, 'USER', 'USER'])
		}
	})

	it('open the admin’s addresses to admins alone, in every spelling', () => {
		for (const [verb, address] of ADMIN_ADDRESSES) {
			expect([verb, address, levelFor(verb, address, 'nobody'), levelFor(verb, address, 'user'), levelFor(verb, address, 'admin')]).toEqual([verb, address, undefined, undefined, 'ADMIN'])
			const loud = address.toUpperCase()
			for (const matcher of Object.values(MATCHERS)) {
				expect(matcher(manifest.routes, verb, loud.slice(1), 'user')).toBeUndefined()
			}
		}
	})

	it('open signing in to everybody, and count its 401', () => {
		for (const [verb, plain] of AUTH_ADDRESSES) {
			for (const address of [plain, `/api/v1${plain}`]) {
				expect([verb, address, levelFor(verb, address, 'nobody')]).toEqual([verb, address, 'PUBLIC'])
				const counted = manifest.routes.filter(({ url }) => new RegExp(url).test(address))
				expect(counted.map(({ bruteforceProtection }) => bruteforceProtection)).toEqual([[401]])
			}
		}
	})

	it('open the same addresses beneath /api/v1 to other clients, with their token', () => {
		for (const [verb, address] of [...USER_ADDRESSES, ...ADMIN_ADDRESSES]) {
			expect([verb, address, levelFor(verb, `/api/v1${address}`, 'nobody')]).toEqual([verb, address, 'PUBLIC'])
			const hit = manifest.routes.find(({ url }) => new RegExp(url).test(`/api/v1${address}`))
			expect(hit?.headersToExclude).not.toContain('authorization')
		}
	})

	it('keep everything else shut, for admins too: Nextcloud’s own calls above all', () => {
		for (const address of [...INNER_ADDRESSES, ...INNER_ADDRESSES.map((inner) => `/api/v1${inner}`), ...OUTSIDE]) {
			for (const verb of ['GET', 'POST', 'PUT', 'DELETE']) {
				expect([verb, address, levelFor(verb, address, 'admin')]).toEqual([verb, address, undefined])
			}
		}
	})

	it('let nobody climb out of an address with dots, which old versions resolve after the check', () => {
		const climbs = ['..', '.', '%2e%2e', '.%2e', '%2E.', '../..'].flatMap((dots) => ['call', `call/${UUID}`, 'me/devices', 'js', 'admin/users', 'auth', 'api/v1/me', 'api/v1/call', 'api/v1', 'api/v1/auth']
			.flatMap((start) => [`${start}/${dots}/init`, `${start}/${dots}/${dots}/${dots}/enabled`, `${start}/${dots}`]))
		for (const climb of climbs) {
			for (const verb of ['GET', 'POST', 'PUT', 'DELETE']) {
				for (const [name, matcher] of Object.entries(MATCHERS)) {
					expect([name, verb, climb, matcher(manifest.routes, verb, climb, 'admin')]).toEqual([name, verb, climb, undefined])
				}
			}
		}
	})

	it('give each address one level, whatever the verb', () => {
		for (const address of [...STATIC_ADDRESSES, ...USER_ADDRESSES, ...ADMIN_ADDRESSES, ...AUTH_ADDRESSES].flatMap(([, plain]) => [plain, `/api/v1${plain}`])) {
			const levels = new Set(manifest.routes.filter(({ url }) => new RegExp(url, 'i').test(address) || new RegExp(url, 'i').test(address.slice(1))).map(({ accessLevel }) => accessLevel))
			expect(levels.size, address).toBeLessThanOrEqual(1)
		}
	})

	it('take the session and forged proofs from what clients send', () => {
		for (const { url, headersToExclude } of manifest.routes) {
			expect(headersToExclude, url).toEqual(expect.arrayContaining(['cookie', 'ex-app-id', 'ex-app-version', 'aa-version']))
		}
	})

	it('cover every route of lib/http/routes at its level', () => {
		const folder = path.join(ROOT, 'lib/http/routes')
		const declared = readdirSync(folder).flatMap((file) => [...readFileSync(path.join(folder, file), 'utf8').matchAll(/method: '(\w+)',\s+path: '([^']+)',\s+right: '(\w+)'/g)])
			.map(([, method = '', address = '', right = '']) => ({ verb: method.toUpperCase(), address: address.replaceAll(/\{\w+\}/g, UUID), right }))
		expect(declared.length).toBeGreaterThan(8)
		for (const { verb, address, right } of declared) {
			const expected = INNER_ADDRESSES.includes(address) || right === 'nextcloud' ? undefined : right.toUpperCase()
			expect([verb, address, levelFor(verb, address, 'admin')]).toEqual([verb, address, expected])
		}
	})
})
