// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SettingsSource } from '../policy/settings-store.ts'
import type { OcsClient } from './ocs-client.ts'

import { z } from 'zod'
import { SipCallError } from '../errors.ts'

const PATH = '/apps/app_api/api/v1/ex-app/config'

/** A server without AppAPI's app config, such as a stand-in. */
const NOT_THERE = 404

const Values = z.array(z.object({ configkey: z.string(), configvalue: z.string() }))

/** Nextcloud's app config of this app (AppAPI's `AppConfigController`): the one place where settings live. */
export class AppConfig implements SettingsSource {
	readonly #ocs: OcsClient

	constructor({ ocs }: { ocs: OcsClient }) {
		this.#ocs = ocs
	}

	/** All values are texts; keys that are not set are left out. */
	async read(keys: readonly string[]): Promise<Record<string, string>> {
		const { status, data } = await this.#ocs.request({ method: 'POST', path: `${PATH}/get-values`, body: { configKeys: keys } })
		const values = Values.safeParse(data)
		if (status !== 200 || !values.success) {
			throw refused(status)
		}
		return Object.fromEntries(values.data.map(({ configkey, configvalue }) => [configkey, configvalue]))
	}

	/**
	 * Only texts are stored; an object would become the word "Array". A secret is marked each time: written once without
	 * the mark it would read back as nothing.
	 */
	async write(key: string, text: string, isSecret: boolean): Promise<boolean> {
		const { status } = await this.#ocs.request({ method: 'POST', path: PATH, body: { configKey: key, configValue: text, sensitive: isSecret ? 1 : 0 } })
		if (status !== 200 && status !== NOT_THERE) {
			throw refused(status)
		}
		return status === 200
	}
}

function refused(status: number): SipCallError {
	return new SipCallError('nextcloud_unavailable', 'Nextcloud did not take or give the settings. Try again in a minute.', {
		cause: new Error(`app config answered ${status}`),
		retryAfterSec: 30,
	})
}
