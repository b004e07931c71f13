// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// May this user call this number, and if not, why? Pure: no clock, no storage; limits that count stand elsewhere.

import type { ParsedNumber } from '../numbering/parse-number.ts'
import type { Refusal } from './refusal.ts'
import type { Settings } from './settings.ts'

type DestinationPolicy = Pick<Settings, 'homeCountry' | 'allowedCountries' | 'allowedTypes' | 'allowedPrefixes' | 'deniedPrefixes'>

/** Whether a user may call at all: by membership in one of the groups, if any are named. */
export function mayCall(groups: readonly string[], { allowedGroups }: Pick<Settings, 'allowedGroups'>): Refusal | undefined {
	if (allowedGroups === null || allowedGroups.some((group) => groups.includes(group))) {
		return undefined
	}
	return {
		code: 'calling_not_permitted',
		message: 'Your account is not allowed to place calls. Your administrator can add you to a group that may call.',
		rule: 'allowedGroups',
		fixableBy: 'admin',
	}
}

/**
 * Whether a number may be called: default-deny by country and type; of the prefix lists the longest match decides over
 * both, and a denied prefix wins over an equally long allowed one.
 */
export function mayBeCalled(number: ParsedNumber, policy: DestinationPolicy): Refusal | undefined {
	const denied = longestMatch(number.e164, policy.deniedPrefixes)
	const allowed = longestMatch(number.e164, policy.allowedPrefixes)
	if (denied > 0 && denied >= allowed) {
		return refuse('This number is on the list of numbers that may not be called.', 'deniedPrefixes')
	}
	if (allowed > 0) {
		return undefined
	}
	const countries = policy.allowedCountries ?? (policy.homeCountry === null ? [] : [policy.homeCountry])
	// Codes without a country (satellite, premium world numbers) are in no list, so they need a prefix of their own.
	if (number.country === undefined || !countries.includes(number.country)) {
		return refuse('Calls to this country are not allowed.', 'allowedCountries')
	}
	// An unknown type is most often a range that nobody was given: the favourite of toll fraud.
	if (number.type === undefined || !policy.allowedTypes.includes(number.type)) {
		return refuse('Calls to this kind of number are not allowed.', 'allowedTypes')
	}
	return undefined
}

/** The numbers that members of these groups may show, the default one first. */
export function grantedCallerIds(groups: readonly string[], { callerIds }: Pick<Settings, 'callerIds'>): Settings['callerIds'] {
	return callerIds.filter(({ groups: needed }) => needed === undefined || needed.some((group) => groups.includes(group)))
}

/**
 * The caller ID that the destination will see.
 *
 * @param wished what the user asked for; undefined = the default
 * @return the number, undefined for the gateway's own, or a refusal
 */
export function chooseCallerId(wished: string | undefined, groups: readonly string[], { callerIds }: Pick<Settings, 'callerIds'>): { number: string | undefined } | Refusal {
	const granted = grantedCallerIds(groups, { callerIds })
	if (wished === undefined) {
		return { number: granted[0]?.number }
	}
	return granted.some(({ number }) => number === wished)
		? { number: wished }
		: {
				code: 'caller_id_not_allowed',
				message: 'This caller ID is not one of yours. Choose one from the list.',
				rule: 'callerIds',
				fixableBy: 'user',
			}
}

function longestMatch(e164: string, prefixes: readonly string[]): number {
	return Math.max(0, ...prefixes.filter((prefix) => e164.startsWith(prefix)).map(({ length }) => length))
}

function refuse(message: string, rule: string): Refusal {
	return { code: 'destination_not_allowed', message: `${message} Your administrator can allow it.`, rule, fixableBy: 'admin' }
}
