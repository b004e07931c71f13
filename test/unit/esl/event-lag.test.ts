// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { EventLag } from '../../../lib/esl/event-lag.ts'

const START = Date.parse('2026-11-22T09:30:00.000Z')
/** FreeSWITCH's clock is a minute ahead. */
const micros = (ms: number) => String((START + ms + 60_000) * 1000)
const at = (ms: number) => new Date(START + ms)

describe('the lag of events', () => {
	it('is measured against the quickest, whatever the clocks say', () => {
		const lag = new EventLag()
		expect(lag.of(micros(0), at(20))).toBe(0)
		expect(lag.of(micros(1000), at(1010))).toBe(0)
		expect(lag.of(micros(2000), at(2510))).toBe(0.5)
	})

	it('is known again some minutes after a clock was set', () => {
		const lag = new EventLag()
		lag.of(micros(0), at(10))
		const hour = 3_600_000
		expect(lag.of(micros(1000), at(1010 + hour))).toBe(0)
		expect(lag.of(micros(2000), at(2010))).toBe(0)
		// By two seconds:
		for (let minute = 1; minute <= 11; minute++) {
			lag.of(micros(minute * 60_000), at(minute * 60_000 + 10 + 2000))
		}
		expect(lag.of(micros(12 * 60_000), at(12 * 60_000 + 10 + 2500))).toBe(0.5)
	})

	it('is not told of an event without a time', () => {
		expect(new EventLag().of(undefined, at(0))).toBeUndefined()
		expect(new EventLag().of('x', at(0))).toBeUndefined()
	})
})
