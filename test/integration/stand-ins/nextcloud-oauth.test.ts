// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'
import type { Answer } from '../../stand-ins/nextcloud/recordings.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell } from '../../stand-ins/nextcloud/recordings.ts'

const recording = readRecording('19-oauth2')

let shell: NextcloudShell

/** The recorded client, codes, tokens and page secrets, and what stands for them here. */
const ours = new Map<string, string>()
const change = (text: string) => [...ours].reduce((changed, [theirs, here]) => changed.replaceAll(theirs, here), text)

beforeAll(async () => {
	shell = await startRecordedShell()
})

afterAll(() => shell.stop())

/** Asks as recorded, and remembers what here stands for a value of the recorded answer. */
async function replay(number: number, ...names: string[]): Promise<Answer> {
	const { request, answer } = exchange(recording, number)
	const answered = await send(shell, request, withBasic)
	if (names.length > 0) {
		const [here, theirs] = [JSON.parse(answered.body), JSON.parse(answer.body)]
		for (const name of names) {
			ours.set(theirs[name], here[name])
		}
	}
	expectAsRecorded(answered, { ...answer, headers: { ...answer.headers, ...(answer.headers.location === undefined ? {} : { location: change(answer.headers.location) }) } }, ['id', 'clientId', 'clientSecret', 'access_token', 'refresh_token', 'firstLoginTimestamp', 'lastLoginTimestamp', 'lastLogin'])
	return answered
}

/** The recorded client stands in base64 once. */
function withBasic(text: string): string {
	const basic = /^Basic (.+)$/.exec(text)?.[1]
	return basic === undefined ? change(text) : `Basic ${Buffer.from(change(Buffer.from(basic, 'base64').toString('utf8'))).toString('base64')}`
}

/** From authorize to the code, as the browser goes; gives the code. */
async function authorize(state = exchange(recording, 4).request): Promise<string> {
	await send(shell, state, change)
	const picker = await send(shell, exchange(recording, 5).request, change)
	const next = /href="(\/login\/flow\/grant[^"]*)"/.exec(picker.body)?.[1]?.replaceAll('&#38;', '&') ?? ''
	const { body } = await send(shell, { ...exchange(recording, 6).request, path: next })
	const fields = Object.fromEntries([...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
	const granted = await send(shell, { ...exchange(recording, 7).request, body: new URLSearchParams(fields).toString() })
	expect(granted.status).toBe(303)
	expect(granted.headers.location?.replace(/code=.*/, 'code=')).toBe(exchange(recording, 7).answer.headers.location?.replace(/code=.*/, 'code='))
	return new URL(granted.headers.location ?? '').searchParams.get('code') ?? ''
}

function recordedCode(number: number): string {
	return new URLSearchParams(exchange(recording, number).request.body).get('code') ?? ''
}

describe('Nextcloud\'s own OAuth2, as recorded', () => {
	it('has clients that only an admin makes', async () => {
		await replay(2, 'clientId', 'clientSecret')
		await replay(3)
	})

	it('leads from authorize over two pages to the code', async () => {
		await replay(4)
		await replay(5)
		ours.set(recordedCode(8), await authorize())
	})

	it('gives tokens for the code and the right secret, once', async () => {
		await replay(8)
		await replay(9, 'access_token', 'refresh_token')
		await replay(10)
	})

	it('takes the token for OCS and CardDAV', async () => {
		await replay(11)
		await replay(12)
	})

	it('rotates tokens: the old access token lives for some seconds, the old refresh token not at all', async () => {
		await replay(14, 'access_token', 'refresh_token')
		await replay(15)
		shell.oauth.dropCache()
		await replay(16)
		await replay(17)
		await replay(18)
		await replay(19, 'access_token', 'refresh_token')
	})

	it('looks neither at PKCE nor at the redirect_uri', async () => {
		await replay(22)
		ours.set(recordedCode(23), await authorize(exchange(recording, 22).request))
		await replay(23)
		ours.set(recordedCode(25), await authorize())
		await replay(25)
		await replay(26)
		await replay(27)
		await replay(28)
	})

	it.each([29, 30, 31, 32, 33, 34])('refuses what is recorded as exchange %i', async (number) => {
		await replay(number)
	})

	it('revokes by DELETE core/apppassword, the refresh token along', async () => {
		await replay(37)
		await replay(38)
		await replay(39)
	})

	it('shows the ExApp at the proxy whose token it is', async () => {
		const code = await authorize()
		const answer = await send(shell, { ...exchange(recording, 9).request, body: exchange(recording, 9).request.body.replace(recordedCode(9), code) }, change)
		await send(shell, { ...exchange(recording, 13).request, headers: [['Host', 'cloud.example'], ['Authorization', `Bearer ${JSON.parse(answer.body).access_token}`]] })
		expect(shell.requests.at(-1)).toMatchObject({ part: 'proxy', userId: 'alice' })
	})
})

describe('as time goes by', () => {
	const client = () => ({ client_id: change('5reNXAkGcqyEklmt6QMtDH6kuCzwej75q0UCBotOsIClzda8Wweugj56orpSXenJ'), client_secret: change('00fE24aafR1qwFCOkHdzolXSKaunRTkQMNzupzRdMgJoOvN0cB4nUP5v4L3MNGmu') })

	it('a code is worth nothing after ten minutes', async () => {
		const code = await authorize()
		shell.oauth.expireCodes()
		expect(shell.oauth.token({ grant_type: 'authorization_code', code, ...client() }, undefined)).toEqual({ status: 400, body: { error: 'invalid_request' } })
	})

	it('an access token ends after an hour, and is refreshed', async () => {
		const first = shell.oauth.token({ grant_type: 'authorization_code', code: await authorize(), ...client() }, undefined)
		const { access_token: token, refresh_token: refresh } = first.status === 200 ? first.body : {}
		expect(shell.oauth.userOfToken(String(token))?.id).toBe('alice')
		shell.oauth.expireAccessTokens()
		expect(shell.oauth.userOfToken(String(token))).toBeUndefined()
		const second = shell.oauth.token({ grant_type: 'refresh_token', refresh_token: refresh, ...client() }, undefined)
		expect(second.status === 200 && shell.oauth.userOfToken(String(second.body.access_token))?.id).toBe('alice')
	})

	it('no token is worth anything for a disabled account', async () => {
		const answer = shell.oauth.token({ grant_type: 'authorization_code', code: await authorize(), ...client() }, undefined)
		const token = answer.status === 200 ? String(answer.body.access_token) : ''
		shell.users.setEnabled('alice', false)
		expect(shell.oauth.userOfToken(token)).toBeUndefined()
		shell.users.setEnabled('alice', true)
		shell.oauth.revokeAll('alice')
		expect(shell.oauth.userOfToken(token)).toBeUndefined()
	})
})
