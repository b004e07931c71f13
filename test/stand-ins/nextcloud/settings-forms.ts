// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Nextcloud's own forms of settings ("declarative settings"), for the ExApp that registers them and for the people who
 * fill them in. Nothing reaches the ExApp when somebody saves.
 */

import type { AppConfig, ConfigRows } from './app-config.ts'
import type { OcsResult } from './ocs-answer.ts'
import type { OcsRoute } from './ocs.ts'
import type { Registrations, SettingsField, SettingsForm } from './registrations.ts'
import type { ShellUser } from './users.ts'

import { decrypt, encrypt, phpText } from './app-config.ts'
import { failure, internalError, ok } from './ocs-answer.ts'
import { removed } from './ui.ts'

const TYPES = new Set(['text', 'password', 'email', 'tel', 'url', 'number', 'checkbox', 'multi-checkbox', 'radio', 'select', 'multi-select'])

const REGISTRATION = '/apps/app_api/api/v1/ui/settings'
const FORMS = '/settings/api/declarative'

export interface SettingsFormsOptions {
	registrations: Registrations
	appConfig: AppConfig
	appId: string
	/** Forms of a disabled app are not offered. */
	isEnabled: () => boolean
}

export class SettingsForms {
	readonly #options: SettingsFormsOptions

	constructor(options: SettingsFormsOptions) {
		this.#options = options
	}

	/**
	 * Saves one field as the page of settings does: it takes the app's name off the front of the form's, so that a form
	 * `sipcall_x` is asked for as `x`, answered 200, and stored nowhere.
	 */
	save(user: ShellUser | undefined, formId: string, fieldId: string, value: unknown): OcsResult {
		const prefix = `${this.#options.appId}_`
		return this.#save(user, formId.startsWith(prefix) ? formId.slice(prefix.length) : formId, fieldId, value)
	}

	/** One unknown type of a field breaks the listing, and with it every page of settings of every app. */
	isBroken(): boolean {
		return this.#offered().some((form) => !Array.isArray(form.fields) || form.fields.some(({ type }) => !TYPES.has(type)))
	}

	routes(): OcsRoute[] {
		const { registrations } = this.#options
		const save: OcsRoute['handle'] = ({ user, body: { app, formId, fieldId, value } }) => app === this.#options.appId
			? this.#save(user, String(formId), String(fieldId), value)
			: failure(400, '')
		return [
			{
				method: 'POST',
				path: REGISTRATION,
				asks: 'exApp',
				handle: ({ body: { formScheme } }) => {
					if (typeof formScheme !== 'object' || formScheme === null || !('id' in formScheme)) {
						return internalError
					}
					// Whatever is in it is taken, even what later breaks the page.
					const form = formScheme as SettingsForm
					const at = registrations.settingsForms.findIndex(({ id }) => id === form.id)
					registrations.settingsForms.splice(at === -1 ? registrations.settingsForms.length : at, at === -1 ? 0 : 1, form)
					return ok()
				},
			},
			{
				method: 'GET',
				path: REGISTRATION,
				asks: 'exApp',
				handle: ({ body: { formId } }) => {
					const form = registrations.settingsForms.find(({ id }) => id === formId)
					return form === undefined ? failure(404, '') : ok({ ...form, storage_type: 'external' })
				},
			},
			{
				method: 'DELETE',
				path: REGISTRATION,
				asks: 'exApp',
				handle: ({ body: { formId } }) => removed(registrations.settingsForms, ({ id }) => id === formId) ? ok() : failure(404, ''),
			},
			{ method: 'GET', path: `${FORMS}/forms`, asks: 'user', handle: ({ user }) => this.#list(user) },
			{ method: 'POST', path: `${FORMS}/value`, asks: 'user', handle: save },
			{ method: 'POST', path: `${FORMS}/value-sensitive`, asks: 'user', handle: save },
		]
	}

	#list(user: ShellUser | undefined): OcsResult {
		if (user === undefined || this.isBroken()) {
			return internalError
		}
		const visible = this.#offered().filter((form) => form.section_type !== 'admin' || isAdmin(user))
		return ok(visible.map((form) => ({
			...form,
			fields: form.fields.map((field) => ({ ...field, value: this.#valueOf(this.#rowsFor(form, user), field) })),
			storage_type: 'external',
			app: this.#options.appId,
		})))
	}

	#save(user: ShellUser | undefined, formId: string, fieldId: string, value: unknown): OcsResult {
		const forms = this.#offered()
		// The field is looked for in all forms of the app, the form by its name only afterwards.
		if (user === undefined || !forms.some((form) => form.fields.some(({ id }) => id === fieldId))) {
			return failure(400, '')
		}
		if (!isAdmin(user)) {
			return failure(403, '')
		}
		const form = forms.find(({ id }) => id === formId)
		if (form !== undefined) {
			const field = form.fields.find(({ id }) => id === fieldId)
			const text = phpText(value)
			// Encrypted, but not marked so: only a key that the ExApp itself has made sensitive comes back decrypted.
			this.#rowsFor(form, user).write(fieldId, field?.sensitive === true ? encrypt(text) : text)
		}
		return ok(null)
	}

	#offered(): SettingsForm[] {
		return this.#options.isEnabled() ? this.#options.registrations.settingsForms : []
	}

	#rowsFor(form: SettingsForm, user: ShellUser): ConfigRows {
		const { appConfig } = this.#options
		return form.section_type === 'admin' ? appConfig.config : appConfig.preferences(user.id)
	}

	#valueOf(rows: ConfigRows, field: SettingsField): unknown {
		const row = rows.list().find(({ configkey }) => configkey === field.id)
		if (row !== undefined) {
			return field.sensitive === true ? decrypt(row.configvalue) : row.configvalue
		}
		const { default: byDefault } = field
		return typeof byDefault === 'number' || (typeof byDefault === 'object' && byDefault !== null) ? JSON.stringify(byDefault) : byDefault
	}
}

function isAdmin(user: ShellUser): boolean {
	return user.groups.includes('admin')
}
