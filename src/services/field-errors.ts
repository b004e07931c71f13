// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the server has against single fields of a form, in the user's language as far as it is known. */

import type { ApiFailure } from './api.ts'

import { t } from './l10n.ts'

/** By the path of the field, as in `rates.0.prefix`. */
export type FieldErrors = Readonly<Record<string, string>>

/** The sentences of `lib/policy/settings-schema.ts` that can be reached by typing. */
const WORDS: readonly [RegExp, () => string][] = [
	[/^Not the beginning of an E\.164 number/, () => t('Begin with + and the country code, as in +4930.')],
	[/^Not an E\.164 number/, () => t('Begin with + and the country code, as in +4930123456.')],
	[/^Not an ISO 3166/, () => t('There is no such country.')],
	[/^Not an ISO 4217/, () => t('A currency has three letters, as in EUR.')],
	[/^Not a time zone/, () => t('There is no such time zone; one is written as in Europe/Berlin.')],
	[/^Not a time such as/, () => t('Write the time as in 08:00.')],
	[/^Ends before it begins/, () => t('The hours end before they begin. Hours past midnight stand in two days.')],
	[/^Not a host name or an address/, () => t('This is no host name and no address.')],
	[/^Not a host name$/, () => t('This is no host name.')],
	[/^Not a gateway/, () => t('A gateway’s name has letters, digits and _ . - only.')],
	[/^Not of the form name@domain/, () => t('Write the user as name@domain.')],
	[/^Not a dial string/, () => t('Write it as in user/{address}@{domain}.')],
	[/^This dial string needs a domain/, () => t('This dial string needs a domain.')],
	[/^The heading must name/, () => t('The heading must name prefix, perMinute and currency, may name perCall, and nothing else.')],
	[/^Not as many fields/, () => t('This line has not as many fields as the heading, or a quotation mark that is not closed.')],
	[/^This beginning stands/, () => t('This beginning stands in an earlier line already.')],
	[/^Not an amount such as/, () => t('Write an amount as in 0.02.')],
	[/^More than \d+ prices/, () => t('More prices than SIPCall takes: 5000.')],
	[/^There is no price/, () => t('There is no price in this table.')],
	[/^Not the currency of the other amounts/, () => t('All amounts have one currency.')],
	[/^Needs rates/, () => t('A limit needs prices: without them nobody knows what a call costs.')],
	[/^Give the password again/, () => t('Give the password again: it is not sent to another host or port.')],
	[/^Give the password$/, () => t('Give the password.')],
	[/^Give the key again/, () => t('Give the key again: it is not sent to another address.')],
	[/^Give the key of this company/, () => t('Give the key of this company.')],
	[/^Not a key/, () => t('A key has no spaces, and no letters beyond A to Z.')],
	[/^Not an https address/, () => t('Begin with https://, without a user name and without a question mark.')],
	[/^Not an id of a trunk/, () => t('An id has digits, letters and - only.')],
	[/^Give the secret of this client/, () => t('Give the secret of this client.')],
	[/^Control characters/, () => t('Line breaks and other control characters are not allowed.')],
	[/^Too small|^Too big|^Invalid input/, () => t('This value is not possible here.')],
]

export function fieldErrorsOf(failure: ApiFailure, prefix = ''): FieldErrors {
	return Object.fromEntries((failure.problem?.errors ?? []).map(({ field, message }) => [
		field.startsWith(prefix) ? field.slice(prefix.length) : field,
		WORDS.find(([pattern]) => pattern.test(message))?.[1]() ?? message,
	]))
}

/** What stands under a field: of itself, or of something within it. */
export function errorAt(errors: FieldErrors, path: string): string {
	return errors[path] ?? Object.entries(errors).find(([field]) => field.startsWith(`${path}.`))?.[1] ?? ''
}
