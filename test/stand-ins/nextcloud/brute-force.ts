// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** How often somebody used a wrong secret, and who is locked out for it. */

/** As recorded: a wrong call is checked, and so counted, twice; with ten counts the address is locked out for 30 minutes. */
const COUNTS_PER_CALL = 2
const MOST_COUNTS = 10

interface Attempt {
	address: string
	/** App id and user: a good call forgives only the wrong ones that said the same. */
	claim: string
}

export class BruteForce {
	/** Switched off, nobody is ever locked out; the counting goes on. */
	isOn: boolean
	#attempts: Attempt[] = []

	constructor(isOn: boolean) {
		this.isOn = isOn
	}

	/** Wrong calls that are not forgiven yet, from all addresses. */
	get wrongCalls(): number {
		return this.#attempts.length / COUNTS_PER_CALL
	}

	isLockedOut(address: string): boolean {
		return this.isOn && this.#attempts.filter((attempt) => attempt.address === address).length >= MOST_COUNTS
	}

	fail(address: string, claim: string): void {
		for (let i = 0; i < COUNTS_PER_CALL; i++) {
			this.#attempts.push({ address, claim })
		}
	}

	forgive(address: string, claim: string): void {
		this.#attempts = this.#attempts.filter((attempt) => attempt.address !== address || attempt.claim !== claim)
	}

	/** As `occ security:bruteforce:reset`. */
	reset(): void {
		this.#attempts = []
	}
}
