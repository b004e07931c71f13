// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

export type EslErrorCode
	/** Nothing was written: there is no authenticated connection now. */
	= | 'not_connected'
	/** The connection could not be opened in time, or the peer is no Event Socket. */
		| 'unreachable'
	/** Wrong password, or a user without the right: trying again soon is pointless. */
		| 'password_refused'
	/** The switch's access list does not contain our address (`text/rude-rejection`). */
		| 'address_refused'
	/** No reply in time. The command may have been executed. */
		| 'timeout'
	/** The connection ended before the reply. The command may have been executed. */
		| 'connection_lost'
	/** The command has a control character or a word that mod_event_socket treats as code; nothing was written. */
		| 'unsafe_command'
	/** The switch answered `-ERR` or `-USAGE`. */
		| 'refused'

/**
 * A fault of the Event Socket. It answers the two questions that matter: may the command have reached the switch,
 * and is the connection still of use?
 */
export class EslError extends Error {
	readonly code: EslErrorCode

	constructor(code: EslErrorCode, message: string, options?: { cause?: unknown }) {
		super(message, options)
		this.name = 'EslError'
		this.code = code
	}

	/** Whether the switch may have seen the command. An originate is never repeated, whatever this says. */
	get mayHaveArrived(): boolean {
		return this.code === 'timeout' || this.code === 'connection_lost' || this.code === 'refused'
	}

	/** Whether a person must change something before a new attempt makes sense. */
	get isConfiguration(): boolean {
		return this.code === 'password_refused' || this.code === 'address_refused'
	}
}
