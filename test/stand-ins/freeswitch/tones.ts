// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What `tone_stream://…` sounds like (`teletone_run` of FreeSWITCH 1.10.12), as far as `%(…)` and `L=` go. */

export interface Beep {
	ms: number
	pauseMs: number
	hertz: number
}

/** A tone of this length announces something; a shorter one is counted. */
const LONG_TONE_MS = 500
/** A silence of this length ends a digit. */
const LONG_PAUSE_MS = 1_000

/**
 * Reads a tone script.
 *
 * @return the beeps of all repetitions; none when it has nothing that could be heard
 */
export function readTones(script: string): Beep[] {
	let loops = 1
	const once: Beep[] = []
	for (const section of script.split(';')) {
		const loop = /^L=(\d+)$/.exec(section)
		if (loop !== null) {
			loops = Math.max(1, Number(loop[1]))
			continue
		}
		for (const [, ms, pauseMs, hertz] of section.matchAll(/%\((\d+),(\d+),(\d+)\)/g)) {
			once.push({ ms: Number(ms), pauseMs: Number(pauseMs), hertz: Number(hertz) })
		}
	}
	return Array.from({ length: loops }, () => once).flat()
}

export function durationOf(beeps: readonly Beep[]): number {
	return beeps.reduce((sum, { ms, pauseMs }) => sum + ms + pauseMs, 0)
}

/** What somebody writes down who counts beeps: one text for each announcement, ten beeps as 0. */
export function countBeeps(beeps: readonly Beep[]): string[] {
	const texts: string[] = []
	let count = 0
	for (const { ms, pauseMs } of beeps) {
		if (ms >= LONG_TONE_MS) {
			texts.push('')
			continue
		}
		count++
		if (pauseMs >= LONG_PAUSE_MS) {
			texts.push(`${texts.pop() ?? ''}${count > 10 ? '?' : count % 10}`)
			count = 0
		}
	}
	return texts
}
