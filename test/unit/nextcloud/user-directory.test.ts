// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { OcsClient } from '../../../lib/nextcloud/ocs-client.ts'
import { UserDirectory } from '../../../lib/nextcloud/user-directory.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

type Reply = () => Response | Promise<Response>

const SECRET = 'hunter2:x'

function cloudUser(change: Record<string, unknown> = {}): Response {
	return Response.json({ ocs: { meta: { statuscode: 200 }, data: { id: 'alice', enabled: true, displayname: 'Alice', groups: ['sales'], ...change } } })
}

/** A directory with a clock that stands still and a Nextcloud that answers as told. */
function directory(reply: Reply, options: { nextcloudUrl?: string, fetch?: typeof fetch } = {}) {
	const requests: { url: string, init: RequestInit | undefined }[] = []
	const state = { nowMs: 1_000_000_000_000, reply, requests, log: new RecordedLog() }
	const ocs = new OcsClient({
		nextcloudUrl: 'https://cloud.example/sub',
		appId: 'sipcall',
		appVersion: '0.1.0',
		appSecret: SECRET,
		logger: state.log,
		now: () => state.nowMs,
		fetch: async (input, init) => {
			requests.push({ url: String(input), init })
			return state.reply()
		},
		...options,
	})
	const users = new UserDirectory({ ocs, now: () => state.nowMs })
	return Object.assign(state, { users })
}

describe('what Nextcloud knows of a user', () => {
	it('is asked as that user, with the app’s proof', async () => {
		const { users, requests } = directory(() => cloudUser({ groups: ['admin', 'sales'] }))
		expect(await users.get('alice')).toEqual({ id: 'alice', displayName: 'Alice', groups: ['admin', 'sales'], isAdmin: true, language: 'en' })
		expect(requests).toHaveLength(1)
		expect(requests[0]?.url).toBe('https://cloud.example/sub/ocs/v2.php/cloud/user?format=json')
		expect(new Headers(requests[0]?.init?.headers).get('AUTHORIZATION-APP-API')).toBe(Buffer.from(`alice:${SECRET}`).toString('base64'))
	})

	it('is kept for 60 s and not a millisecond longer', async () => {
		const test = directory(() => cloudUser())
		await test.users.get('alice')
		test.nowMs += 59_999
		test.reply = () => cloudUser({ groups: [] })
		expect((await test.users.get('alice')).groups).toEqual(['sales'])
		test.nowMs += 1
		expect((await test.users.get('alice')).groups).toEqual([])
		expect(test.requests).toHaveLength(2)
	})

	it('says who somebody is also when Nextcloud cannot be asked, and gives no right then', async () => {
		const test = directory(() => cloudUser())
		await test.users.get('alice')
		test.nowMs += 86_400_000
		test.reply = () => new Response('', { status: 503 })
		expect(await test.users.profile('alice')).toMatchObject({ displayName: 'Alice', groups: ['sales'] })
		await expect(test.users.get('alice')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		await expect(test.users.profile('bob')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
	})

	it.each([
		['is gone', () => new Response('', { status: 404 })],
		['is disabled', () => cloudUser({ enabled: false })],
	])('says nothing more of somebody who %s, also when it cannot be asked', async (_what, reply) => {
		const test = directory(() => cloudUser())
		await test.users.get('alice')
		test.nowMs += 60_000
		test.reply = reply
		await expect(test.users.profile('alice')).rejects.toMatchObject({ code: 'forbidden' })
		test.reply = () => new Response('', { status: 503 })
		await expect(test.users.profile('alice')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
	})

	it('is asked again when the clock was set back: a right must not outlive its minute', async () => {
		const test = directory(() => cloudUser())
		await test.users.get('alice')
		test.nowMs -= 3_600_000
		await test.users.get('alice')
		expect(test.requests).toHaveLength(2)
	})

	it('is asked once for many who want it at the same time, and again after a failure', async () => {
		const { promise, resolve } = Promise.withResolvers<Response>()
		const test = directory(async () => (await promise).clone())
		const answers = Array.from({ length: 20 }, () => test.users.get('alice'))
		expect(test.requests).toHaveLength(1)
		resolve(new Response('', { status: 500 }))
		for (const answer of await Promise.allSettled(answers)) {
			expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'nextcloud_unavailable' } })
		}
		// A question is repeated once.
		expect(test.requests).toHaveLength(2)
		test.reply = () => cloudUser()
		await test.users.get('alice')
		expect(test.requests).toHaveLength(3)
	})

	it('is kept for each user apart', async () => {
		const test = directory(() => cloudUser())
		await test.users.get('alice')
		test.reply = () => cloudUser({ id: 'bob', groups: ['admin'] })
		expect((await test.users.get('bob')).isAdmin).toBe(true)
		expect((await test.users.get('alice')).isAdmin).toBe(false)
	})

	it('is not asked for a minute after a 401, so that Nextcloud does not lock the app out', async () => {
		const test = directory(() => cloudUser())
		await test.users.get('alice')
		test.reply = () => new Response('', { status: 401 })
		await expect(test.users.get('bob')).rejects.toMatchObject({ code: 'nextcloud_unavailable', retryAfterSec: 30 })
		test.reply = () => cloudUser({ id: 'bob' })
		test.nowMs += 59_999
		await expect(test.users.get('bob')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
		// What is known stays good.
		await expect(test.users.get('alice')).resolves.toMatchObject({ id: 'alice' })
		// Alice, Bob, and whether the app itself is still known.
		expect(test.requests).toHaveLength(3)
		test.nowMs += 1
		expect((await test.users.get('bob')).id).toBe('bob')
		expect(test.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
		expect(JSON.stringify(test.log.lines)).not.toContain('hunter2')
	})

	it('tells nothing while the app is disabled: no user is gone by that', async () => {
		const test = directory(() => test.requests.at(-1)?.url.includes('/ex-app/state') === true ? Response.json({ ocs: { data: 0 } }) : new Response('', { status: 401 }))
		await expect(test.users.get('bob')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
	})

	it('is a user that is gone when Nextcloud still knows the app: nobody else is held up', async () => {
		const test = directory(() => test.requests.at(-1)?.url.includes('/ex-app/state') === true ? Response.json({ ocs: { data: 1 } }) : new Response('', { status: 401 }))
		await expect(test.users.get('bob')).rejects.toMatchObject({ code: 'forbidden' })
		await expect(test.users.get('bob')).rejects.toMatchObject({ code: 'forbidden' })
		expect(test.requests).toHaveLength(2)
		test.reply = () => cloudUser()
		await expect(test.users.get('alice')).resolves.toMatchObject({ id: 'alice' })
	})

	it.each([
		['a disabled account', () => cloudUser({ enabled: false })],
		['another account', () => cloudUser({ id: 'mallory' })],
		['an account whose id differs in its letters', () => cloudUser({ id: 'Alice' })],
		['no account (404)', () => new Response('', { status: 404 })],
		['a refusal (403)', () => new Response('', { status: 403 })],
	])('is forbidden for %s, and nothing of it is kept', async (_name, reply) => {
		const test = directory(reply)
		await expect(test.users.get('alice')).rejects.toMatchObject({ code: 'forbidden' })
		test.reply = () => cloudUser()
		await expect(test.users.get('alice')).resolves.toMatchObject({ id: 'alice' })
	})

	it.each<[string, Reply]>([
		['HTML instead of JSON', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
		['JSON of another shape', () => Response.json({ ocs: { data: [] } })],
		['groups that are no list', () => cloudUser({ groups: 'admin' })],
		['half an answer', () => new Response('{"ocs":')],
		['maintenance (503)', () => new Response('', { status: 503 })],
		['an error with a body that looks good (500)', () => new Response(JSON.stringify({ ocs: { data: { id: 'alice', groups: ['admin'] } } }), { status: 500 })],
		['an answer without a body (204)', () => new Response(null, { status: 204 })],
		['a network that is down', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }))],
		['a time-out', () => Promise.reject(new DOMException('The operation timed out', 'TimeoutError'))],
	])('cannot be told with %s: nobody gets a right by it', async (_name, reply) => {
		const test = directory(reply)
		await expect(test.users.get('alice')).rejects.toMatchObject({ code: 'nextcloud_unavailable', retryAfterSec: 30 })
		test.reply = () => cloudUser()
		await expect(test.users.get('alice')).resolves.toMatchObject({ id: 'alice' })
	})

	it('is the id where Nextcloud gives no display name', async () => {
		expect(await directory(() => cloudUser({ displayname: undefined, enabled: undefined })).users.get('alice')).toMatchObject({ displayName: 'alice' })
	})

	it('is never looked for behind a redirect: the secret would go along', async () => {
		const seen: string[] = []
		const server = createServer((request, response) => {
			seen.push(request.url ?? '')
			response.writeHead(302, { Location: '/elsewhere' }).end()
		})
		await new Promise<void>((resolve) => {
			server.listen(0, '127.0.0.1', resolve)
		})
		try {
			const address = server.address()
			const port = typeof address === 'object' ? address?.port : undefined
			const { users } = directory(() => cloudUser(), { nextcloudUrl: `http://127.0.0.1:${port}`, fetch })
			await expect(users.get('alice')).rejects.toMatchObject({ code: 'nextcloud_unavailable' })
			expect(new Set(seen)).toEqual(new Set(['/ocs/v2.php/cloud/user?format=json']))
		} finally {
			server.closeAllConnections()
			await new Promise((resolve) => {
				server.close(resolve)
			})
		}
	})
})
