// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { OcsClient } from './ocs-client.ts'

import { SipCallError } from '../errors.ts'

const PATH = '/apps/app_api/api/v1/info/nextcloud_url/absolute?url=index.php'
/** An admin changes `overwrite.cli.url` once in years. */
const FRESH_MS = 10 * 60_000

/** Nextcloud's address in people's browsers, which only Nextcloud knows. */
export class PublicAddress {
	readonly #ocs: OcsClient
	readonly #now: () => number
	#known: { url: string, at: number } | undefined

	/**
	 * @param now milliseconds
	 */
	constructor({ ocs, now }: { ocs: OcsClient, now: () => number }) {
		this.#ocs = ocs
		this.#now = now
	}

	/**
	 * The address with `index.php` at its end.
	 *
	 * @throws {SipCallError} `nextcloud_unavailable`
	 */
	async get(): Promise<string> {
		const ageMs = this.#now() - (this.#known?.at ?? -Infinity)
		if (this.#known !== undefined && ageMs >= 0 && ageMs < FRESH_MS) {
			return this.#known.url
		}
		const { data } = await this.#ocs.request({ path: PATH })
		const url = typeof data === 'object' && data !== null && 'absolute_url' in data ? data.absolute_url : undefined
		if (typeof url !== 'string' || !URL.canParse(url)) {
			throw new SipCallError('nextcloud_unavailable', 'Nextcloud did not tell its own address. Try again in a minute.', { retryAfterSec: 30 })
		}
		this.#known = { url, at: this.#now() }
		return url
	}
}
