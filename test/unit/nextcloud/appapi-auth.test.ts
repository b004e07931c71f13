// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verifyAppApi } from '../../../lib/nextcloud/appapi-auth.ts'

const SECRET = 's3cr3t:with:colons'
const APP = { id: 'sipcall', secret: SECRET }

function proof(userId: string, secret = SECRET): string {
	return Buffer.from(`${userId}:${secret}`).toString('base64')
}

function headers(change: NodeJS.Dict<string[]> = {}): NodeJS.Dict<string[]> {
	return { 'ex-app-id': ['sipcall'], 'ex-app-version': ['0.1.0'], 'authorization-app-api': [proof('alice')], ...change }
}

function userOf(change: NodeJS.Dict<string[]> = {}): string | undefined {
	return verifyAppApi(headers(change), APP)?.userId
}

describe('the proof of AppAPI', () => {
	it('names the user before the first colon; the rest is the secret, with its own colons', () => {
		expect(userOf()).toBe('alice')
		expect(verifyAppApi(headers({ 'authorization-app-api': [Buffer.from('alice:b:c').toString('base64')] }), { id: 'sipcall', secret: 'b:c' })).toEqual({ userId: 'alice' })
		expect(verifyAppApi(headers({ 'authorization-app-api': [Buffer.from('alice:b:c').toString('base64')] }), { id: 'sipcall', secret: 'c' })).toBeUndefined()
	})

	it('names nobody for Nextcloud’s own calls', () => {
		expect(userOf({ 'authorization-app-api': [proof('')] })).toBe('')
	})

	it.each(['müller', 'user@example.com', 'a b', 'юзер', '用户', 'a'.repeat(64), '😀'.repeat(64)])('takes the user id %j', (userId) => {
		expect(userOf({ 'authorization-app-api': [proof(userId)] })).toBe(userId)
	})

	it.each(['a\nb', 'a\0', '\u007f', 'a\rb', '\u0085', 'a'.repeat(65), 'a'.repeat(100_000)])('refuses the user id %j', (userId) => {
		expect(userOf({ 'authorization-app-api': [proof(userId)] })).toBeUndefined()
	})

	it.each([
		['no app id', { 'ex-app-id': [] }],
		['another app’s id', { 'ex-app-id': ['files'] }],
		['an app id in other letters', { 'ex-app-id': ['SipCall'] }],
		['two app ids joined into one', { 'ex-app-id': ['files, sipcall'] }],
		['no version', { 'ex-app-version': [] }],
		['an empty version', { 'ex-app-version': [''] }],
		['no proof', { 'authorization-app-api': [] }],
		['an empty proof', { 'authorization-app-api': [''] }],
		['garbage', { 'authorization-app-api': ['%%%%'] }],
		['a proof in plain text', { 'authorization-app-api': [`alice:${SECRET}`] }],
		['a proof without a colon', { 'authorization-app-api': [Buffer.from(SECRET.replaceAll(':', '')).toString('base64')] }],
		['the secret alone', { 'authorization-app-api': [Buffer.from(SECRET).toString('base64')] }],
		['a wrong secret', { 'authorization-app-api': [proof('alice', 'wrong')] }],
		['an empty secret', { 'authorization-app-api': [proof('alice', '')] }],
		['the beginning of the secret', { 'authorization-app-api': [proof('alice', SECRET.slice(0, -1))] }],
		['more than the secret', { 'authorization-app-api': [proof('alice', `${SECRET}x`)] }],
		['the secret with a line break behind', { 'authorization-app-api': [proof('alice', `${SECRET}\n`)] }],
		['the secret in other letters', { 'authorization-app-api': [proof('alice', SECRET.toUpperCase())] }],
	])('is refused with %s', (_name, change) => {
		expect(userOf(change)).toBeUndefined()
	})

	it('is refused when a header is not there at all', () => {
		for (const name of ['ex-app-id', 'ex-app-version', 'authorization-app-api']) {
			expect(userOf({ [name]: undefined })).toBeUndefined()
		}
		expect(verifyAppApi({}, APP)).toBeUndefined()
		expect(verifyAppApi({ authorization: [proof('alice')] }, APP)).toBeUndefined()
	})

	it('holds beside headers that a client put there itself', () => {
		expect(userOf({ 'ex-app-id': ['files', 'sipcall'] })).toBe('alice')
		expect(userOf({ 'ex-app-id': ['sipcall', 'files'], 'ex-app-version': ['', '0.1.0'] })).toBe('alice')
		expect(userOf({ 'authorization-app-api': [proof('mallory', 'wrong'), proof('alice')] })).toBe('alice')
		expect(userOf({ 'authorization-app-api': [proof('alice'), proof('alice')] })).toBe('alice')
	})

	it('is refused when two valid ones name two users, or a user and nobody', () => {
		expect(userOf({ 'authorization-app-api': [proof('alice'), proof('bob')] })).toBeUndefined()
		expect(userOf({ 'authorization-app-api': [proof(''), proof('alice')] })).toBeUndefined()
	})

	it('is never made of bytes that do not hold the secret', () => {
		fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.string({ unit: 'binary' }), (bytes, text) => {
			expect(userOf({ 'authorization-app-api': [Buffer.from(bytes).toString('base64')] })).toBeUndefined()
			expect(userOf({ 'authorization-app-api': [text] })).toBeUndefined()
			expect(userOf({ 'authorization-app-api': [proof('alice', text)] })).toBeUndefined()
		}))
	})
})
