// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAsRecorded } from '../../stand-ins/nextcloud/compare.ts'
import { exchange, readRecording, send, startRecordedShell } from '../../stand-ins/nextcloud/recordings.ts'
import { SAMPLE_CARDS } from '../../stand-ins/nextcloud/sample-cards.ts'

const seed = readRecording('01-carddav-seed')
const recording = readRecording('08-carddav-impersonated')
const HOME = '/remote.php/dav/addressbooks/users/alice/'

let shell: NextcloudShell

beforeAll(async () => {
	// The sample card of Nextcloud's own makes the third of three.
	shell = await startRecordedShell()
})

afterAll(() => shell.stop())

describe('address books, one call after the other as recorded', () => {
	it.each([1, 2].map((number) => exchange(seed, number)).map((each) => [each.number, each.title, each] as const))('seed %i. %s', async (_number, _title, { request, answer }) => {
		expectAsRecorded(await send(shell, request, (text) => text.includes('BEGIN:VCARD') ? `${text.replace(/\r?\n/g, '\r\n')}\r\n` : text), { ...answer, headers: {} })
	})

	it.each(recording.slice(0, 12).map((each) => [each.number, each.title, each] as const))('%i. %s', async (_number, _title, { request, answer }) => {
		const ours = await send(shell, request)
		// Numbers of changes, and the order of what was put in, are this Nextcloud's own.
		const same = (text: string) => text.replace(/sync\/\d+/g, 'sync/n').replace(/(getctag[^>]*>)\d+/g, '$1n')
		expectAsRecorded({ ...ours, body: sorted(same(ours.body)) }, { ...answer, body: sorted(same(answer.body)) })
	})

	it('hands a card out by Bearer as well', async () => {
		const { request, answer } = exchange(readRecording('19-oauth2'), 12)
		const client = shell.oauth.addClient('http://exapp.example/oauth/callback')
		const alice = shell.users.get('alice') ?? { id: '', displayName: '', groups: [] }
		const code = new URL(shell.oauth.grant(client, alice, '')).searchParams.get('code')
		const token = shell.oauth.token({ grant_type: 'authorization_code', code, client_id: client.clientId, client_secret: client.clientSecret }, undefined)
		const access = token.status === 200 ? String(token.body.access_token) : ''
		expectAsRecorded(await send(shell, request, (text) => text.replace(/^Bearer .*/, `Bearer ${access}`)), answer)
	})
})

describe('cards as they stand in real address books', () => {
	const report = (body: string, path = `${HOME}contacts/`) => send(shell, { ...exchange(recording, 4).request, path, body })
	const query = (filter: string, prop = '<c:prop name="FN"/><c:prop name="TEL"/>') => report(`<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><c:address-data>${prop}</c:address-data></d:prop><c:filter>${filter}</c:filter></c:addressbook-query>`)

	beforeAll(() => {
		for (const [uri, text] of Object.entries(SAMPLE_CARDS)) {
			shell.addressBooks.put('alice', uri, text)
		}
	})

	it('keep their groups, and are found by the property alone', async () => {
		const { body } = await query('<c:prop-filter name="TEL"><c:text-match>08-123</c:text-match></c:prop-filter>')
		expect(body).toContain('FN:Åsa Öberg&#13;\nitem1.TEL;type=pref:08-123 456 78&#13;\nitem2.TEL:+46 8 123 456 79&#13;\n')
		expect(body).not.toContain('X-ABLabel')
	})

	it('are found by a name beyond ASCII in any case, and come with their escapes', async () => {
		const { body } = await query('<c:prop-filter name="FN"><c:text-match collation="i;unicode-casemap">JAŹŃ</c:text-match></c:prop-filter>')
		expect(body).toContain('FN:Żółć\\, Jaźń &amp; Søn &lt;AS&gt;&#13;\n')
		expect(body.match(/TEL;/g)).toHaveLength(5)
	})

	it('come folded after 75 octets, and are searched unfolded', async () => {
		const { body } = await query('<c:prop-filter name="TEL"><c:text-match>+49 30 123419</c:text-match></c:prop-filter>')
		const lines = (/BEGIN:VCARD.*END:VCARD/s.exec(body)?.[0] ?? '').replaceAll('&#13;', '').replaceAll('&quot;', '"').split('\n')
		expect(lines.filter((line) => line.startsWith(' '))).toHaveLength(2)
		expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBe(75)
		expect(lines.join('\n').replaceAll('\n ', '')).toContain('FN:Konstantin Alexander Maximilian von und zu Hohenbergen-Wittelsbach-Sayn-Altenkirchen\n')
	})

	it('are left out where a number is asked for and there is none', async () => {
		expect((await query('<c:prop-filter name="TEL"/>')).body).not.toContain('Ohne Nummer')
		expect((await query('<c:prop-filter name="TEL"><c:is-not-defined/></c:prop-filter>')).body).toContain('Ohne Nummer')
	})

	it('combine filters by any or all', async () => {
		const both = '<c:prop-filter name="FN"><c:text-match>erika</c:text-match></c:prop-filter><c:prop-filter name="TEL"><c:text-match>5550</c:text-match></c:prop-filter>'
		expect((await query(both)).body.match(/BEGIN:VCARD/g)).toHaveLength(1)
		const { body } = await report(`<c:addressbook-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><c:address-data/></d:prop><c:filter test="allof">${both.replace('erika', 'otto')}</c:filter></c:addressbook-query>`)
		expect(body).not.toContain('BEGIN:VCARD')
	})

	it('are fetched by name, with 404 for what is not there', async () => {
		const { status, body } = await report(`<c:addressbook-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:prop><d:getetag/><c:address-data/></d:prop><d:href>${HOME}contacts/silent.vcf</d:href><d:href>${HOME}contacts/nosuch.vcf</d:href></c:addressbook-multiget>`)
		expect(status).toBe(207)
		expect(body).toContain('FN:Ohne Nummer')
		expect(body).toContain(`<d:href>${HOME}contacts/nosuch.vcf</d:href><d:status>HTTP/1.1 404 Not Found</d:status>`)
	})

	it('tell after a token what came and what went', async () => {
		const sync = (token: string) => report(`<d:sync-collection xmlns:d="DAV:"><d:sync-token>${token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>`)
		const token = /<d:sync-token>([^<]+)/.exec((await sync('')).body)?.[1] ?? ''
		shell.addressBooks.put('alice', 'new.vcf', SAMPLE_CARDS['silent.vcf'] ?? '')
		shell.addressBooks.delete('alice', 'many.vcf')
		const { body } = await sync(token)
		expect([...body.matchAll(/<d:href>[^<]*\/([^<]+)<\/d:href>\s*<d:(\w+)/g)].map(([, uri, next]) => [uri, next])).toEqual([['new.vcf', 'propstat'], ['many.vcf', 'status']])
		expect((await sync('http://sabre.io/ns/sync/9999')).status).toBe(403)
	})

	it('stand in the book of all accounts with the phone of the profile', async () => {
		shell.users.add({ id: 'carol', displayName: 'Carol Example', groups: [], phone: '+49 30 123400' })
		const { body } = await report(exchange(recording, 12).request.body, exchange(recording, 12).request.path)
		expect(body).toContain('FN;X-NC-SCOPE=v2-federated:Carol Example&#13;\nEMAIL;TYPE=OTHER;X-NC-SCOPE=v2-federated:carol@cloud.example&#13;\nTEL;TYPE=VOICE;X-NC-SCOPE=v2-local:+49 30 123400')
	})
})

/** The responses of a multistatus by their address. */
function sorted(body: string): string {
	const responses = [...body.matchAll(/\s*<d:response>.*?<\/d:response>/gs)].map(([whole]) => whole)
	return responses.length === 0 ? body : body.replace(responses.join(''), responses.toSorted().join(''))
}
