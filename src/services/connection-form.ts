// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The settings of the phone system and of signing in, as a form has them, and back. Secrets only go in. */

import type { Settings, SettingsChange } from './admin-api.ts'

export interface ConnectionForm {
	host: string
	port: string
	user: string
	/** Empty = kept. */
	password: string
	gateways: string[]
	callerIds: { number: string, label: string, groups: string }[]
	sipDialString: string
	sipDomain: string
	verifyPhone: 'code' | 'none'
	verifySip: 'none' | 'admin'
	ringTimeoutSec: string
	answerTimeoutSec: string
	/** `generic` = a gateway that nobody can ask. */
	company: string
	/** Empty = kept. */
	companyKey: string
	/** Empty = the company’s own. */
	companyUrl: string
	/** Empty = the only one. */
	companyTrunk: string
	/** Whether administrators may ask about a number, which costs money. */
	companyLookup: boolean
	clientId: string
	/** Empty = kept. */
	clientSecret: string
	/** Empty = kept. */
	metricsToken: string
	/** Empty = kept. */
	cdrSecret: string
}

export type ConnectionPart = 'freeswitch' | 'gateways' | 'callerIds' | 'sipDialString' | 'sipDomain' | 'deviceVerification' | 'ringTimeoutSec' | 'answerTimeoutSec' | 'provider' | 'oauth' | 'metricsToken' | 'cdrSecret'

export function connectionFormOf(settings: Settings): ConnectionForm {
	const { freeswitch, oauth, provider, callerIds, deviceVerification } = settings
	return {
		host: freeswitch.host,
		port: String(freeswitch.port),
		user: freeswitch.user ?? '',
		password: '',
		gateways: [...settings.gateways],
		callerIds: callerIds.map(({ number, label, groups }) => ({ number, label, groups: (groups ?? []).join(', ') })),
		sipDialString: settings.sipDialString,
		sipDomain: settings.sipDomain ?? '',
		verifyPhone: deviceVerification.phone,
		verifySip: deviceVerification.sip,
		ringTimeoutSec: String(settings.ringTimeoutSec),
		answerTimeoutSec: String(settings.answerTimeoutSec),
		company: provider.kind,
		companyKey: '',
		companyUrl: provider.baseUrl ?? '',
		companyTrunk: provider.connectionId ?? '',
		companyLookup: provider.lookup ?? false,
		clientId: oauth?.clientId ?? '',
		clientSecret: '',
		metricsToken: '',
		cdrSecret: '',
	}
}

/** What is sent: the parts that have changed, and secrets only where one was typed. */
export function connectionChangeOf(settings: Settings, form: ConnectionForm): SettingsChange {
	const before = partsOf(connectionFormOf(settings))
	const now = partsOf(form)
	const changed = (Object.keys(now) as ConnectionPart[]).filter((part) => JSON.stringify(before[part]) !== JSON.stringify(now[part]))
	return Object.fromEntries(changed.map((part) => [part, now[part]])) as SettingsChange
}

/** All parts of a form as the settings have them; what cannot be right stands as it was typed. */
export function connectionValuesOf(form: ConnectionForm): SettingsChange {
	const { metricsToken: _typed, cdrSecret: _typedToo, ...values } = partsOf(form)
	return values as SettingsChange
}

function partsOf(form: ConnectionForm): Record<ConnectionPart, unknown> {
	// What is no number goes as it was typed: the server says what is wrong with it.
	const count = (text: string) => /^\d{1,6}$/.test(text.trim()) ? Number(text) : text.trim()
	const words = (text: string) => text.split(',').map((word) => word.trim()).filter((word) => word !== '')
	const orNull = (text: string) => text.trim() === '' ? null : text.trim()
	return {
		freeswitch: { host: form.host.trim(), port: count(form.port), user: orNull(form.user), ...(form.password === '' ? {} : { password: form.password }) },
		gateways: form.gateways,
		callerIds: form.callerIds.map(({ number, label, groups }) => ({ number: number.replace(/[\s()/-]/g, ''), label: label.trim(), ...(words(groups).length === 0 ? {} : { groups: words(groups) }) })),
		sipDialString: form.sipDialString.trim(),
		sipDomain: orNull(form.sipDomain),
		deviceVerification: { phone: form.verifyPhone, sip: form.verifySip },
		ringTimeoutSec: count(form.ringTimeoutSec),
		answerTimeoutSec: count(form.answerTimeoutSec),
		provider: form.company === 'generic'
			? { kind: form.company }
			: { kind: form.company, baseUrl: orNull(form.companyUrl), connectionId: orNull(form.companyTrunk), lookup: form.companyLookup, ...(form.companyKey === '' ? {} : { apiKey: form.companyKey.trim() }) },
		oauth: form.clientId.trim() === '' ? null : { clientId: form.clientId.trim(), ...(form.clientSecret === '' ? {} : { clientSecret: form.clientSecret }) },
		metricsToken: form.metricsToken === '' ? undefined : form.metricsToken,
		cdrSecret: form.cdrSecret === '' ? undefined : form.cdrSecret,
	}
}
