// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'

import { onScopeDispose, ref, watch } from 'vue'

/** Two requests that nobody has pressed a key for never begin within this time, whatever is due. */
export const SPACING_MS = 1000
/** Waits after the first, second, … fault in a row. */
const BACK_OFF_MS = [1000, 2000, 4000, 8000, 30_000]
/** How much longer a tab waits that has just heard the news from another one: so the other one asks again, not both. */
const HEARD_MS = 300

/**
 * What came of one request: go on, wait longer each time (a fault that may pass, with the wait that the server asked for),
 * or never ask again.
 */
export type Round = 'go_on' | 'stop' | { retryAfterMs: number }

/** Something that is asked for again and again, by one request each time. */
export interface Chore {
	run: () => Promise<Round>
	/** undefined while it is not wanted */
	everyMs: () => number | undefined
}

/** Whoever asks by itself, and again and again, takes its turn here. */
export interface Turns {
	/** From when on the next request may begin. */
	freeAt: () => number
	/** A request begins. */
	take: () => void
}

export interface Polling<Name extends string> {
	/** Something could not be asked for, and is asked again when it is time. */
	isFailing: Readonly<Ref<boolean>>
	/** Asks for several at once, as a page that has just been opened has to; a fault counts as it does later. */
	askAll: (names: readonly Name[]) => Promise<void>
	/** After a stop: something else has shown that asking is allowed again. */
	resume: () => void
	/** The news came another way: from another tab, or with the answer to something else. */
	heard: (name: Name, fromOtherTab?: boolean) => void
}

export function roundOf(failure: ApiFailure): Round {
	return failure.isFinal ? 'stop' : { retryAfterMs: failure.retryAfterMs }
}

/**
 * @param faults how many there were in a row
 * @param retryAfterMs what the server asks for
 */
export function backOffMs(faults: number, retryAfterMs: number): number {
	return Math.max(BACK_OFF_MS[Math.min(faults, BACK_OFF_MS.length) - 1] ?? SPACING_MS, retryAfterMs)
}

export function createTurns(): Turns {
	let takenAt = 0
	return {
		freeAt: () => takenAt + SPACING_MS,
		take() {
			takenAt = Date.now()
		},
	}
}

/**
 * Repeats short requests while they are wanted, the tab can be seen and there is a network. Short, because the proxy in
 * front of SIPCall keeps a whole PHP worker busy for every request that is open. There is never more than one under way.
 */
export function usePolling<Name extends string>(chores: Readonly<Record<Name, Chore>>, turns = createTurns()): Polling<Name> {
	const names = Object.keys(chores) as Name[]
	const lastAt = new Map<Name, number>(names.map((name) => [name, Date.now()]))
	/** Those whose last request failed: how often in a row, and when the next one may be. */
	const faulty = new Map<Name, { faults: number, notBefore: number }>()
	const isFailing = ref(false)
	let timer: ReturnType<typeof setTimeout> | undefined
	let isUnderWay = false
	let isStopped = false
	let isDisposed = false
	let notBefore = 0

	const mayRun = () => !isStopped && !isDisposed && !isUnderWay && document.visibilityState === 'visible' && navigator.onLine

	/** What is due next, and when. */
	function next(): { name: Name, at: number } | undefined {
		const wanted = names.flatMap((name) => {
			const every = chores[name].everyMs()
			return every === undefined ? [] : [{ name, at: faulty.get(name)?.notBefore ?? (lastAt.get(name) ?? 0) + every }]
		})
		return wanted.sort((a, b) => a.at - b.at)[0]
	}

	function plan(): void {
		clearTimeout(timer)
		const due = mayRun() ? next() : undefined
		if (due !== undefined) {
			timer = setTimeout(() => void run(), Math.max(due.at, notBefore, turns.freeAt()) - Date.now())
		}
	}

	async function run(): Promise<void> {
		const due = mayRun() ? next() : undefined
		if (due !== undefined && turns.freeAt() <= Date.now()) {
			await askAll([due.name])
		} else {
			// Somebody else was quicker.
			plan()
		}
	}

	async function askAll(asked: readonly Name[]): Promise<void> {
		isUnderWay = true
		turns.take()
		const startedAt = Date.now()
		asked.forEach((name) => lastAt.set(name, startedAt))
		const rounds = await Promise.all(asked.map(async (name) => [name, await chores[name].run()] as const))
		isUnderWay = false
		isStopped ||= rounds.some(([, round]) => round === 'stop')
		for (const [name, round] of rounds) {
			if (typeof round === 'object') {
				const faults = (faulty.get(name)?.faults ?? 0) + 1
				faulty.set(name, { faults, notBefore: Date.now() + backOffMs(faults, round.retryAfterMs) })
				// What the server asks for is meant for all.
				notBefore = Math.max(notBefore, Date.now() + round.retryAfterMs)
			} else {
				faulty.delete(name)
			}
		}
		isFailing.value = faulty.size > 0
		plan()
	}

	function forgive(name: Name): void {
		faulty.delete(name)
		isFailing.value = faulty.size > 0
	}

	/** A tab that comes to the front, or back into the network, shows what is true now, not what was true when it was left. */
	function refresh(): void {
		if (document.visibilityState === 'visible') {
			names.forEach((name) => lastAt.set(name, 0))
			notBefore = faulty.size > 0 ? notBefore : 0
		}
		plan()
	}

	const intervals = () => names.map((name) => chores[name].everyMs())
	watch(intervals, (now, before) => {
		names.forEach((name, at) => {
			if (before[at] === undefined && now[at] !== undefined) {
				lastAt.set(name, Date.now())
			} else if (now[at] === undefined) {
				forgive(name)
			}
		})
		plan()
	})
	const events = [[document, 'visibilitychange'], [window, 'online'], [window, 'offline']] as const
	events.forEach(([target, name]) => target.addEventListener(name, refresh))
	onScopeDispose(() => {
		isDisposed = true
		clearTimeout(timer)
		events.forEach(([target, name]) => target.removeEventListener(name, refresh))
	})
	plan()

	return {
		isFailing,
		askAll,
		resume() {
			isStopped = false
			plan()
		},
		heard(name, fromOtherTab = false) {
			forgive(name)
			lastAt.set(name, Date.now() + (fromOtherTab ? HEARD_MS : 0))
			plan()
		},
	}
}
