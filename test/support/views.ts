// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every page and state of the user interface, in one list: what looks at all of them (axe-core, the layout, the
// pictures in docs/img) walks along it. Nothing here reads a word of the page, so that every language can be walked.

import type { Page, Route } from 'playwright-core'
import type { KeysJson } from '../../lib/http/routes/admin-keys.ts'
import type { MeJson } from '../../lib/http/schemas.ts'
import type { PageTest } from './page-test.ts'

import { card, field, PAGE, startPageTest } from './page-test.ts'

export interface Visit {
	test: PageTest
	page: Page
}

export interface View {
	/** The picture's name, too. */
	name: string
	/** Brings the page into the state, from wherever it is. */
	show: (visit: Visit) => Promise<unknown>
	/** Takes away what would stay: routes, live calls. */
	leave?: (visit: Visit) => Promise<unknown>
}

/** A test's sidecar on which every view can be shown: calls in the list, rates, hours, caller IDs. */
export async function startViewTest(): Promise<PageTest> {
	const test = await startPageTest({ hasHarp: true, settings: {
		allowedCountries: ['DE', 'AT'],
		workingHours: { timeZone: 'Europe/Berlin', days: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, [{ from: '00:00', to: '24:00' }]])) },
		rates: [{ prefix: '+49', perMinute: { micros: '20000', currency: 'EUR' } }, { prefix: '+43', perMinute: { micros: '2500000', currency: 'EUR' } }],
		confirmAbove: { micros: '1000000', currency: 'EUR' },
		callerIds: [{ number: '+4930999900', label: 'Office' }],
		brake: { from: '20:00', to: '07:00', callsPerHour: 5 },
	} })
	await test.makeCall('+49305550100', 'answered')
	await test.makeCall('+4930123417', 'busy')
	// One receipt to show.
	await test.demo.request('POST', '/privacy/delete', { scope: 'number', number: '+4930123499', confirm: true })
	return test
}

/** Brings the page into a view, looks at it, and cleans up, also when something was seen. */
export async function lookAt(visit: Visit, { show, leave }: View, look: () => Promise<void>): Promise<void> {
	try {
		await show(visit)
		await look()
	} finally {
		await leave?.(visit)
	}
}

const sip = (name: string) => `[data-sip=${name}]`

/** At a path, once something is there. */
function at(path: string, there: string, more: (visit: Visit) => Promise<unknown> = async () => {}) {
	return async (visit: Visit) => {
		await visit.page.goto(visit.test.shell.url + PAGE + path)
		await visit.page.locator(there).first().waitFor()
		await more(visit)
	}
}

/** With a text in the number field. */
function typed(text: string, there: string) {
	return at('', sip('field'), async ({ page }) => {
		await field(page).fill(text)
		await page.keyboard.press('Enter')
		await page.locator(there).first().waitFor()
	})
}

/** Nextcloud's proxy answers this for a part of the API. */
function answered(glob: string, answer: (route: Route, visit: Visit) => Promise<unknown>, view: Omit<View, 'leave'>): View {
	return {
		...view,
		show: async (visit) => {
			await visit.page.route(glob, (route) => answer(route, visit))
			await view.show(visit)
		},
		leave: ({ page }) => page.unroute(glob),
	}
}

/** A key on the volume, as the tests' own one is not. */
function keys({ state, left }: { state: KeysJson['state'], left: number }): KeysJson {
	return {
		activeKid: '4f2a9c31',
		activeSince: '2026-11-22T09:30:00.000Z',
		source: 'volume',
		state,
		rows: { total: 100_000, left },
		unreadable: 0,
		newerElsewhere: false,
		earlier: [{ kid: '83844519', loaded: true, rows: left, backups: ['sipcall-20261122T093000000Z-manual.backup'] }, { kid: '0a1b2c3d', loaded: true, rows: 0, backups: [] }],
	}
}

/** The user's account is another than it is. */
function account(name: string, change: Partial<MeJson>, there: string): View {
	return answered('**/proxy/sipcall/me', async (route) => {
		const answer = await route.fetch()
		await route.fulfill({ response: answer, json: { ...await answer.json() as MeJson, ...change } })
	}, { name, show: at('', there) })
}

/** All of the API is answered with a fault. */
function faulty(name: string, answer: { status: number, contentType: string, body: string }, there: string): View {
	return answered('**/proxy/sipcall/{me,call-history}*', (route) => route.fulfill(answer), { name, show: at('', there) })
}

/** A call that the server does not place, whatever the number. */
function refusedCall(name: string, problem: { status: number, code: string } & Record<string, unknown>): View {
	return answered('**/proxy/sipcall/call', (route) => route.fulfill({
		status: problem.status,
		contentType: 'application/problem+json',
		body: JSON.stringify({ type: 'about:blank', title: 'x', detail: 'x', requestId: '7f8a3f3e-1a35-4c5e-9d0b-5a2e1c9b7d10', ...problem }),
	}), { name, show: typed('030 5550199', sip('refusal')) })
}

async function dial({ page }: Visit, to: string): Promise<void> {
	await field(page).fill(to)
	await page.keyboard.press('Enter')
	await card(page, '[data-status=calling_user]').waitFor()
}

async function hangUp({ page }: Visit): Promise<void> {
	await page.keyboard.press('Shift+Escape')
	await card(page, '[data-status=ended]').waitFor()
}

/** A call that has come so far, in a page that shows nothing else; it is hung up afterwards. */
function live(name: string, until: 'calling_user' | 'ringing' | 'connected', more: (visit: Visit) => Promise<unknown> = async () => {}): View {
	return {
		name,
		show: at('', sip('field'), async (visit) => {
			await dial(visit, '030 5550100')
			if (until !== 'calling_user') {
				await visit.test.pickUp(visit.page, until)
			}
			await more(visit)
		}),
		leave: hangUp,
	}
}

/** A call that somebody's phone, or the network, has ended. */
function ended(name: string, outcome: string, end: (visit: Visit) => unknown, to = '030 5550100', pickedUp = true): View {
	return {
		name,
		show: at('', sip('field'), async (visit) => {
			await dial(visit, to)
			if (pickedUp) {
				await visit.test.pickUp(visit.page, 'ringing')
			}
			await end(visit)
			await card(visit.page, `[data-outcome=${outcome}]`).waitFor()
		}),
	}
}

/** A click whose first answers are lost; to the next one no answer comes. */
function lostCall(name: string, lost: number, there: (visit: Visit, isWaiting: Promise<void>) => Promise<unknown>): View {
	return {
		name,
		show: at('', sip('field'), async (visit) => {
			let posts = 0
			const { promise, resolve } = Promise.withResolvers<void>()
			await visit.page.route('**/proxy/sipcall/call', async (route) => {
				if (++posts <= lost) {
					await route.abort('connectionreset')
				} else {
					resolve()
				}
			})
			await field(visit.page).fill('030 5550100')
			await visit.page.keyboard.press('Enter')
			await card(visit.page).waitFor()
			await there(visit, promise)
		}),
		async leave({ page }) {
			// The next page would ask what has become of it.
			await page.evaluate(() => sessionStorage.clear())
			// What waits goes with the page: once the way is free it would become a call.
			await page.goto('about:blank')
			await page.unroute('**/proxy/sipcall/call')
		},
	}
}

const click = (selector: string) => ({ page }: Visit) => page.locator(selector).first().click()

const PHONE = { id: '7f8a3f3e-1a35-4c5e-9d0b-5a2e1c9b7d10', kind: 'phone', label: 'Mobile', address: '+491711234567', isDefault: true, verified: false } as const

const UNVERIFIED = account('verify-a-phone', { devices: [PHONE] }, sip('verify'))

/** In the order in which a user comes across them. */
export const VIEWS: readonly View[] = [
	account('first-visit', { devices: [] }, sip('first-device')),
	UNVERIFIED,
	{
		name: 'type-the-code',
		async show(visit) {
			await visit.page.route('**/devices/*/verify', (route) => route.fulfill({ status: 202, json: { expiresAt: '2099-01-01T10:00:00.000Z', triesLeft: 3, nextCallAt: new Date(Date.now() + 50_000).toISOString() } }))
			await UNVERIFIED.show(visit)
			await click(sip('call-with-code'))(visit)
			await visit.page.locator(sip('code')).waitFor()
		},
		async leave(visit) {
			await visit.page.unroute('**/devices/*/verify')
			await UNVERIFIED.leave?.(visit)
		},
	},
	{
		name: 'loading',
		async show({ test, page }) {
			await page.route('**/proxy/sipcall/{me,call-history}*', () => new Promise(() => {}))
			await page.goto(test.shell.url + PAGE)
			await page.locator('[aria-busy=true]').first().waitFor()
		},
		leave: ({ page }) => page.unroute('**/proxy/sipcall/{me,call-history}*'),
	},
	{ name: 'list', show: at('', sip('row')) },
	answered('**/proxy/sipcall/call-history*', (route) => route.fulfill({ json: { items: [], nextCursor: null } }), { name: 'no-calls', show: at('', sip('empty')) }),
	{ name: 'filters', show: at('', sip('row'), click('[data-filter=more]')) },
	{ name: 'missed', show: at('/missed', sip('field')) },
	{ name: 'search', show: typed('Beispiel', `${sip('contacts')} li`) },
	{
		name: 'two-numbers',
		show: at('', sip('field'), async ({ page }) => {
			await field(page).evaluate((input) => {
				const clipboardData = new DataTransfer()
				clipboardData.setData('text/plain', '030 123456 / 0171 1234567')
				input.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
			})
			await page.locator(`${sip('choices')} [data-row]`).nth(1).waitFor()
		}),
	},
	{ name: 'nothing-found', show: typed('Zzyzx', sip('empty')) },
	{
		name: 'about-the-number',
		show: at('', sip('field'), async ({ page }) => {
			await field(page).fill('030 123456')
			await page.waitForFunction(() => document.querySelector('[data-sip=explain]')?.textContent?.trim() !== '')
		}),
	},
	{ name: 'not-complete', show: typed('123456', `${sip('field')}[aria-describedby]`) },
	{ name: 'refusal', show: typed('+33 1 23 45 67 89', sip('refusal')) },
	{ name: 'emergency', show: typed('112', sip('emergency')) },
	{ name: 'expensive', show: typed('+43 1 5551234', sip('ask')) },
	{ name: 'phone-link', show: at('?number=tel%3A030%2F5550100', `${sip('confirm')}[aria-busy=false]`) },
	{ name: 'phone-link-refused', show: at('?number=tel%3A%2B33123456789', `${sip('confirm')} ${sip('refusal')}`) },
	{ name: 'phone-link-test', show: at('?number=tel%3A%2B000', sip('link-test')) },
	{ name: 'details', show: at('', sip('row'), async (visit) => {
		await click('[data-sip=row] [data-row]')(visit)
		await visit.page.locator('[data-sip=timeline] li').first().waitFor()
	}) },
	{ name: 'details-note', show: at('', sip('row'), async (visit) => {
		await click('[data-sip=row] [data-row]')(visit)
		await visit.page.locator(`${sip('details')} [role=tab]`).nth(1).click()
		await visit.page.locator(`${sip('details')} ${sip('note-text')}`).fill('Calls back on Monday')
	}) },
	{ name: 'erase-number', show: at('', sip('row'), async (visit) => {
		await click('[data-sip=row] [data-row]')(visit)
		await click(sip('erase-number'))(visit)
		await visit.page.locator(sip('erasure')).getByText(/\d/).first().waitFor()
	}) },
	answered('**/proxy/sipcall/privacy/delete', (route) => route.fulfill({ json: {
		receiptId: '7f8a3f3e-1a35-4c5e-9d0b-5a2e1c9b7d10',
		deletedAt: '2026-11-22T09:30:00.000Z',
		counts: { calls: 2, transfers: 0, devices: 0, signIns: 0, rules: 0 },
		signature: 'x',
	} }), { name: 'erasure-receipt', show: at('', sip('row'), async (visit) => {
		await click('[data-sip=row] [data-row]')(visit)
		await click(sip('erase-number'))(visit)
		await click(`${sip('erase')}:not([aria-disabled])`)(visit)
		await visit.page.locator(sip('receipt')).waitFor()
	}) }),
	lostCall('starting', 0, (_visit, isWaiting) => isWaiting),
	lostCall('checking', 1, (_visit, isWaiting) => isWaiting),
	lostCall('could-not-find-out', 3, ({ page }) => page.locator(sip('repeat')).waitFor()),
	live('pick-up', 'calling_user'),
	{
		name: 'dialling',
		show: at('', sip('field'), async (visit) => {
			// A gateway that says nothing.
			await dial(visit, '030 123406')
			visit.test.app.freeSwitch.answer(visit.test.leg('a'))
			await card(visit.page, '[data-status=dialing]').waitFor()
		}),
		leave: hangUp,
	},
	live('ringing', 'ringing'),
	live('talking', 'connected'),
	{
		name: 'hanging-up',
		show: at('', sip('field'), async (visit) => {
			await dial(visit, '030 5550100')
			// No answer comes to the click.
			await visit.page.route('**/proxy/sipcall/call/*', () => new Promise(() => {}))
			await visit.page.keyboard.press('Shift+Escape')
			await card(visit.page).locator(sip('hangup')).waitFor({ state: 'detached' })
		}),
		async leave({ test, page }) {
			// The browser may send on what was held.
			await page.unroute('**/proxy/sipcall/call/*')
			for (const { uuid } of test.app.freeSwitch.channels()) {
				test.app.freeSwitch.hangUp(uuid)
			}
			await card(page, '[data-status=ended]').waitFor()
		},
	},
	live('keypad', 'connected', async (visit) => {
		await click(sip('keypad-button'))(visit)
		await visit.page.locator(sip('keypad')).waitFor()
	}),
	live('transfer', 'connected', async (visit) => {
		await click(sip('transfer'))(visit)
		await visit.page.locator(sip('transfer-to')).fill('+33 1 23 45 67 89')
	}),
	live('note', 'connected', async (visit) => {
		await click(sip('add-note'))(visit)
		await visit.page.locator(sip('note-text')).fill('Calls back on Monday')
	}),
	live('on-hold', 'connected', async (visit) => {
		await click(sip('hold'))(visit)
		await visit.page.locator(sip('keypad-button')).waitFor({ state: 'detached' })
	}),
	ended('ended', 'completed', async ({ test, page }) => {
		test.app.freeSwitch.answer(test.leg('b'))
		await card(page, '[data-status=connected]').waitFor()
		test.app.freeSwitch.hangUp(test.leg('b'))
	}),
	ended('busy', 'busy', ({ test }) => test.app.freeSwitch.hangUp(test.leg('b'), 'USER_BUSY')),
	ended('declined', 'rejected', ({ test }) => test.app.freeSwitch.hangUp(test.leg('b'))),
	ended('nobody-answered', 'no_answer', ({ test }) => test.app.freeSwitch.hangUp(test.leg('b'), 'NO_ANSWER')),
	ended('blocked', 'blocked', ({ test }) => test.app.freeSwitch.hangUp(test.leg('b'), 'OUTGOING_CALL_BARRED')),
	ended('failed', 'failed', ({ test }) => test.app.freeSwitch.answer(test.leg('a')), '030 123404', false),
	ended('cancelled', 'cancelled', ({ page }) => page.keyboard.press('Shift+Escape'), '030 5550100', false),
	ended('not-picked-up', 'no_answer', ({ test }) => test.app.freeSwitch.hangUp(test.leg('a'), 'NO_ANSWER'), '030 5550100', false),
	ended('own-phone-busy', 'busy', ({ test }) => test.app.freeSwitch.hangUp(test.leg('a'), 'USER_BUSY'), '030 5550100', false),
	account('switch-down', { service: { calling: 'down' } }, '[data-banner=switch-down]'),
	refusedCall('too-many-calls', { status: 429, code: 'rate_limited', retryAfterSec: 50 }),
	refusedCall('trunk-unavailable', { status: 503, code: 'trunk_unavailable' }),
	refusedCall('already-in-call', { status: 409, code: 'already_in_call' }),
	refusedCall('unknown-fault', { status: 500, code: 'internal_error' }),
	account('locked', { lock: { until: '2099-01-01T10:00:00.000Z' } }, sip('locked')),
	account('limit', { limits: [{ kind: 'callsPerDay', used: 30, max: 30, resetsAt: '2099-01-01T00:00:00.000Z' }] }, sip('limit')),
	account('not-permitted', { permissions: { call: false, admin: false } }, sip('not-permitted')),
	faulty('logged-out', { status: 401, contentType: 'application/json', body: '{"message":"Current user is not logged in"}' }, '[data-banner=logged-out]'),
	faulty('unavailable', { status: 404, contentType: 'text/html; charset=UTF-8', body: '<h2>Page not found</h2>' }, '[data-banner=unavailable]'),
	faulty('nothing-loads', { status: 500, contentType: 'text/html', body: '' }, '.history__retry'),
	{
		name: 'offline',
		show: at('', sip('row'), async ({ page }) => {
			await page.context().setOffline(true)
			await page.locator('[data-banner=offline]').waitFor()
		}),
		leave: ({ page }) => page.context().setOffline(false),
	},
	{ name: 'settings', show: at('/settings/devices', `${sip('devices')} li`) },
	{ name: 'a-new-phone', show: at('/settings/devices', `${sip('devices')} li`, click(`${sip('devices')} > button`)) },
	{ name: 'settings-caller-id', show: at('/settings/caller-id', sip('settings')) },
	{ name: 'settings-links', show: at('/settings/links', sip('bookmark')) },
	{ name: 'settings-calls', show: at('/settings/calls', sip('settings')) },
	{ name: 'settings-notifications', show: at('/settings/notifications', sip('settings')) },
	{ name: 'settings-privacy', show: at('/settings/privacy', sip('delete-all')) },
	{ name: 'delete-everything', show: at('/settings/privacy', sip('delete-all'), async (visit) => {
		await click(sip('delete-all'))(visit)
		await visit.page.locator(sip('erasure-word')).first().waitFor()
	}) },
	{ name: 'keyboard', show: at('/settings/shortcuts', sip('settings')) },
	{ name: 'admin-overview', show: at('/admin/overview', '[data-chart=calls] canvas') },
	answered('**/proxy/sipcall/admin/metrics*', async (route) => {
		const answer = await route.fetch()
		await route.fulfill({ response: answer, json: { ...await answer.json() as object, hasCalled: false } })
	}, { name: 'admin-set-up', show: at('/admin/overview', sip('set-up')) }),
	{ name: 'admin-overview-table', show: at('/admin/overview', '[data-chart=calls] canvas', async ({ page }) => {
		await page.locator('[data-chart=calls] button[aria-expanded]').click()
		await page.locator('[data-chart=calls] table').waitFor()
	}) },
	{ name: 'admin-show-names', show: at('/admin/overview', sip('names'), async (visit) => {
		await click(sip('names'))(visit)
		await visit.page.locator(sip('confirm-action')).waitFor()
	}) },
	{ name: 'admin-users', show: at('/admin/users', 'tr[data-user=demo]') },
	{ name: 'admin-user', show: at('/admin/users', 'tr[data-user=demo]', async ({ page }) => {
		await page.locator('[data-user=demo] button').last().click()
		await page.locator(sip('user-dialog')).waitFor()
	}) },
	{ name: 'admin-policy', show: at('/admin/policy', sip('try'), async ({ page }) => {
		await page.locator('[data-sip=try] input[type=tel]').fill('+33 1 23 45 67 89')
		await page.locator('[data-verdict=refused]').waitFor()
		await page.locator('input[data-count=callsPerDay]').fill('x')
		await page.locator(`${sip('countries')} li button`).first().click()
		await page.locator('[data-change=allowedCountries]').waitFor()
	}) },
	{ name: 'admin-policy-table', show: at('/admin/policy', sip('rate-table'), async ({ page }) => {
		await page.locator(`${sip('rate-table')} input`).setInputFiles({ name: 'prices.csv', mimeType: 'text/csv', buffer: Buffer.from('prefix,perMinute,currency\n+49,0.02,EUR\n49x,0.02,EUR\n+43,cheap,EUR\n') })
		await page.locator(`${sip('rate-table')} [role=alert]`).scrollIntoViewIfNeeded()
	}) },
	{ name: 'admin-connection', show: at('/admin/connection', sip('switch-password')) },
	{ name: 'admin-connection-snippets', show: at('/admin/connection', sip('switch-password'), async ({ page }) => {
		await page.locator('[data-sip=snippets] summary').click()
		await page.locator('[data-snippet=json_cdr]').waitFor()
		await page.locator('[data-snippet=user] button').scrollIntoViewIfNeeded()
	}) },
	{ name: 'admin-connection-company', show: at('/admin/connection', sip('switch-password'), async ({ page }) => {
		await page.locator(`${sip('company')} select`).selectOption('telnyx')
		await page.locator(sip('company-trunk')).scrollIntoViewIfNeeded()
	}) },
	{ name: 'admin-connection-test', show: at('/admin/connection', sip('switch-password'), async ({ page }) => {
		await page.locator(`${sip('switch-password')} input, input${sip('switch-password')}`).fill('x')
		await page.locator('form [type=submit]').click()
		await page.locator(sip('save-refused')).waitFor()
	}) },
	{ name: 'admin-doctor', show: at('/admin/doctor', '[data-finding=carrier]') },
	{
		name: 'admin-test-call',
		show: at('/admin/doctor', '[data-finding=carrier]', async ({ page }) => {
			await page.locator(`${sip('test-call')} button`).click()
			await page.locator('[data-step=ringing]').waitFor()
		}),
		async leave({ test, page }) {
			for (const { uuid } of test.app.freeSwitch.channels()) {
				test.app.freeSwitch.hangUp(uuid)
			}
			await page.locator('[data-step=ended]').waitFor()
		},
	},
	{ name: 'admin-privacy', show: at('/admin/privacy', `${sip('receipts')} li`, async ({ page }) => {
		await page.locator('input[data-days=callsDays]').fill('x')
	}) },
	answered('**/proxy/sipcall/admin/keys', (route) => route.fulfill({ json: keys({ state: 'running', left: 38_500 }) }), { name: 'admin-key-change', show: at('/admin/privacy', `${sip('keys')} progress`, async ({ page }) => {
		await page.locator(`${sip('keys')} progress`).scrollIntoViewIfNeeded()
	}) }),
	answered('**/proxy/sipcall/admin/keys', (route) => route.fulfill({ json: keys({ state: 'idle', left: 0 }) }), { name: 'admin-key-question', show: at('/admin/privacy', sip('keys'), async (visit) => {
		await click(sip('change-key'))(visit)
		await visit.page.locator(sip('confirm-dialog')).waitFor()
	}) }),
	{ name: 'admin-audit', show: at('/admin/audit', '[data-entry]') },
	{ name: 'unknown-path', show: at('/nowhere', sip('unknown-path')) },
]
