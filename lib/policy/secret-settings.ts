// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Secrets go in and never come out: how settings with a secret are changed, and what is shown of them.

import type { FieldError } from '../errors.ts'
import type { SettingsSchema } from './settings-schema.ts'
import type { OAuthClient, ProviderSettings, SavedSettings, Settings, SwitchConnection } from './settings.ts'

import { z } from 'zod'

/** Whether there is one; never which. */
const SecretState = z.object({ set: z.boolean() })

/** What may be sent: any of the settings, and in those with a secret the secret may be left out to keep it. */
export function changeSchema(schema: SettingsSchema) {
	const { freeswitch, oauth } = schema.shape
	return schema.partial().extend({
		freeswitch: freeswitch.unwrap().partial({ password: true }).nullable().optional(),
		oauth: oauth.unwrap().partial({ clientSecret: true }).nullable().optional(),
	})
}

export type SettingsChange = z.output<ReturnType<typeof changeSchema>>

/** The shape in which settings are shown. */
export function shownSchema(schema: SettingsSchema) {
	const { freeswitch, oauth, provider } = schema.shape
	return schema.extend({
		freeswitch: freeswitch.unwrap().extend({ password: SecretState }),
		oauth: oauth.unwrap().extend({ clientSecret: SecretState }).nullable(),
		provider: provider.unwrap().extend({ apiKey: SecretState.optional() }),
		cdrSecret: SecretState,
		metricsToken: SecretState,
	})
}

export type ShownSettings = z.output<ReturnType<typeof shownSchema>>

/** The settings without their secrets. */
export function showSettings({ freeswitch, oauth, provider, cdrSecret, metricsToken, ...plain }: Settings): ShownSettings {
	const state = (secret: string | null) => ({ set: secret !== null })
	return {
		...plain as Omit<ShownSettings, 'freeswitch' | 'oauth' | 'provider' | 'cdrSecret' | 'metricsToken'>,
		freeswitch: { ...freeswitch, password: state(freeswitch.password) },
		oauth: oauth === null ? null : { clientId: oauth.clientId, clientSecret: state(oauth.clientSecret) },
		provider: showProvider(provider),
		cdrSecret: state(cdrSecret),
		metricsToken: state(metricsToken),
	}
}

function showProvider({ apiKey, ...plain }: ProviderSettings): ShownSettings['provider'] {
	return { ...plain, ...(apiKey === undefined ? {} : { apiKey: { set: true } }) }
}

/**
 * Puts the secrets that a change leaves out back into it. A password goes only where it went before: otherwise whoever
 * gets hold of an admin's browser could have it sent to a machine of their own.
 *
 * @return what is to be saved, or the fields in which a secret must be given again
 */
export function keepSecrets(change: SettingsChange, current: Pick<Settings, 'freeswitch' | 'oauth' | 'provider'>): { saved: SavedSettings } | { faults: FieldError[] } {
	const faults: FieldError[] = []
	const { freeswitch, oauth, provider, ...plain } = change
	const saved: SavedSettings = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined))
	if (freeswitch !== undefined) {
		saved.freeswitch = freeswitch === null ? null : withPassword(freeswitch, current.freeswitch, faults)
	}
	if (oauth !== undefined) {
		saved.oauth = oauth === null ? null : withClientSecret(oauth, current.oauth, faults)
	}
	if (provider !== undefined) {
		saved.provider = provider === null ? null : withKey(provider, current.provider, faults)
	}
	return faults.length > 0 ? { faults } : { saved }
}

function withPassword(wished: NonNullable<SettingsChange['freeswitch']>, current: SwitchConnection, faults: FieldError[]): SwitchConnection {
	const { host, port, user, password } = wished
	if (password !== undefined) {
		return { host, port, user, password }
	}
	if (current.password !== null && (host !== current.host || port !== current.port)) {
		faults.push({ field: 'freeswitch.password', message: 'Give the password again: it is not sent to another host or port' })
	}
	return { host, port, user, password: current.password }
}

function withClientSecret(wished: NonNullable<SettingsChange['oauth']>, current: OAuthClient | null, faults: FieldError[]): OAuthClient {
	const clientSecret = wished.clientSecret ?? (wished.clientId === current?.clientId ? current.clientSecret : undefined)
	if (clientSecret === undefined) {
		faults.push({ field: 'oauth.clientSecret', message: 'Give the secret of this client' })
	}
	return { clientId: wished.clientId, clientSecret: clientSecret ?? '' }
}

/** A company without any key is refused with the settings as a whole. */
function withKey(wished: ProviderSettings, current: ProviderSettings, faults: FieldError[]): ProviderSettings {
	if (wished.apiKey !== undefined || wished.kind !== current.kind || current.apiKey === undefined) {
		return wished
	}
	if ((wished.baseUrl ?? null) !== (current.baseUrl ?? null)) {
		faults.push({ field: 'provider.apiKey', message: 'Give the key again: it is not sent to another address' })
	}
	return { ...wished, apiKey: current.apiKey }
}
