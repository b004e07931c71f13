// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How long it takes until another replica hears a switch's events: from the moment at which the one that heard them is killed,
// stands still, or does not reach the switch any more, until the switch has answered the other's subscription.
//
//     make takeover ROUNDS=30

import type { Place } from './plan.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { Environment, TAKEOVER } from './environment.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 30)

type Fate = 'killed' | 'frozen' | 'parted'
const FATES: readonly Fate[] = ['killed', 'frozen', 'parted']
const FATE: Record<Fate, { come: (place: Place) => void, pass: (place: Place) => void | Promise<void> }> = {
	killed: { come: (place) => environment.replicas[place]?.kill(), pass: (place) => environment.replicas[place]?.start() },
	frozen: { come: (place) => environment.replicas[place]?.freeze(), pass: (place) => environment.replicas[place]?.thaw() },
	parted: { come: (place) => part(place, true), pass: (place) => part(place, false) },
}

function part(place: Place, isAway: boolean): void {
	environment.proxiesOf('switch', place).forEach((proxy) => proxy.setWeather({ isAway }))
}

const environment = await Environment.start()
let took = Promise.withResolvers<Place>()
environment.listener = {
	treat: () => undefined,
	onPassed: (place, part, step) => part === 'switch' && step.name === 'reply to subscribe' && took.resolve(place),
	onClosed: () => {},
	onTaken: () => {},
	onLine: () => {},
}
/** Who hears the events. */
let owner = environment.replicas.findIndex((replica) => replica.log.some(({ message }) => message === TAKEOVER)) as Place
const times: Record<Fate, number[]> = { killed: [], frozen: [], parted: [] }
for (let round = 0; round < ROUNDS; round++) {
	const how = FATES[round % FATES.length] ?? 'killed'
	took = Promise.withResolvers()
	const began = performance.now()
	FATE[how].come(owner)
	const next = await took.promise
	times[how].push(performance.now() - began)
	process.stdout.write(`${round + 1}/${ROUNDS} replica ${owner} ${how}: replica ${next} hears the events after ${Math.round(times[how].at(-1) ?? 0)} ms\n`)
	await FATE[how].pass(owner)
	await environment.untilReady()
	// The one that is back has seen that another does its work, and has stopped listening (see replicas.ts).
	await delay(7_000)
	owner = next
}
for (const [how, list] of Object.entries(times)) {
	const sorted = list.toSorted((a, b) => a - b).map(Math.round)
	process.stdout.write(`${how}: ${sorted.length} times, median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms\n`)
}
await environment.stop()
process.exit(0)
