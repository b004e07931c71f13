// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The search at the end of every run must be able to find something.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findPrivate } from '../support/kept-log.ts'

let folder: string

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sipcall-kept-'))
	await writeFile(join(folder, '1-private.jsonl'), ['+49 30 123400', 'Rückruf wegen Angebot', 'a-secret-of-many-letters'].map((text) => `${JSON.stringify(text)}\n`).join(''))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

it.each([
	['a number', 'called 4930123400 twice', '4930123400'],
	['a note', '{"note":"Rückruf wegen Angebot"}', 'Angebot'],
	['a secret in base64', `authorization ${Buffer.from('a-secret-of-many-letters').toString('base64')}`, 'a-secret'],
	['an access token', 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.c2lnbmF0dXJlLW9mLWl0', 'an access token'],
	['a header', 'Authorization: Bearer abcdefghijklmnopqrstuvwx', 'a header'],
])('finds %s', async (_what, line, sought) => {
	await writeFile(join(folder, '1.log'), `before\n${line}\nafter\n`)
	const { found } = await findPrivate(folder)
	expect(found).toHaveLength(1)
	expect(found[0]).toContain(sought)
})

it('finds nothing in what is clean', async () => {
	await writeFile(join(folder, '1.log'), 'A call to +49 ••••00 was refused\n')
	expect(await findPrivate(folder)).toMatchObject({ found: [], sought: 3 })
})
