// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What it costs to decide on a call without asking anybody: the number is read, the facts to ask for are put together,
// and every rule is passed. Prints the figures; exits 1 only when a decision is wrong.

import type { CallingState } from '../../lib/calls/ports.ts'
import type { Settings } from '../../lib/policy/settings.ts'

import { allowDestination, factsFor } from '../../lib/calls/call-rules.ts'
import { DEFAULT_SETTINGS } from '../../lib/policy/settings.ts'
import { NO_RULE } from '../../lib/policy/user-rule.ts'

const DECISIONS = 5_000
const LIMIT_MS = 0.3

const eur = (micros: string) => ({ micros, currency: 'EUR' })
const settings: Settings = {
	...DEFAULT_SETTINGS,
	homeCountry: 'DE',
	allowedCountries: ['DE', 'AT', 'CH', 'FR'],
	allowedGroups: ['sales', 'support'],
	allowedPrefixes: Array.from({ length: 100 }, (_, at) => `+4930${1000 + at}`),
	deniedPrefixes: Array.from({ length: 500 }, (_, at) => `+49137${at}`),
	callerIds: Array.from({ length: 20 }, (_, at) => ({ number: `+493099990${at}`, label: `Line ${at}`, groups: ['sales'] })),
	timeZone: 'Europe/Berlin',
	workingHours: { timeZone: 'Europe/Berlin', days: { tue: [{ from: '00:00', to: '24:00' }] } },
	maxDistinctPerDay: 100,
	dailySpendLimit: eur('100000000'),
	monthlySpendLimit: eur('1000000000'),
	rates: Array.from({ length: 1000 }, (_, at) => ({ prefix: `+${at + 1}`, perMinute: eur('20000') })),
	brake: { from: '20:00', to: '07:00', callsPerHour: 5 },
}
const state: CallingState = {
	rule: NO_RULE,
	facts: { openOfUser: 0, openInAll: 3, distinctToday: 5, isCalledToday: false, isCountryKnown: true, callsLastHour: 2, spentToday: 0n, spentThisMonth: 0n },
}
const user = { id: 'anna', groups: ['sales'] }
const at = new Date('2026-11-24T11:00:00.000Z')

const times: number[] = []
for (let turn = 0; turn < DECISIONS; turn++) {
	const to = `030 / ${100000 + turn}`
	const start = performance.now()
	factsFor(user.id, to, settings, at)
	const { number } = allowDestination({ to, callerId: undefined }, { user, settings, state, at })
	times.push(performance.now() - start)
	if (number.e164 !== `+4930${100000 + turn}`) {
		console.error(`${to} was decided on as ${number.e164}`)
		process.exitCode = 1
	}
}
const sorted = times.toSorted((a, b) => a - b)
const of = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(3)
console.log(`${DECISIONS} decisions with 600 prefixes and 1,000 rates; the limit for the median is ${LIMIT_MS} ms`)
console.log(`median ${of(0.5)} ms   95 % ${of(0.95)} ms   slowest ${of(0.9999)} ms`)
