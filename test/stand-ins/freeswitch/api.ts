// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The API commands: what `api` and `bgapi` run. Replies are those of the recordings, to the letter. */

import type { Desk, ParsedOriginate } from './desk.ts'

import { randomUUID } from 'node:crypto'
import { CALL_COMMANDS } from './api-calls.ts'
import { STATUS_COMMANDS } from './api-status.ts'
import { originate } from './originate.ts'
import { parseOriginate } from './tokenizer.ts'

/** A result that comes later: once A has answered, or not. */
export interface LaterResult {
	whenKnown: (take: (result: string) => void) => void
}

/** Gives the output of one command for its arguments. */
export type ApiCommand = (desk: Desk, argument: string) => string

const COMMANDS: Readonly<Record<string, ApiCommand>> = { ...STATUS_COMMANDS, ...CALL_COMMANDS }

function startOriginate(desk: Desk, argument: string, jobUuid: string, mode: 'foreground' | 'background'): LaterResult {
	const parsed = parseOriginate(argument)
	const asked: ParsedOriginate = {
		jobUuid,
		aDialString: parsed.aDialString,
		aVariables: parsed.aVariables,
		legs: parsed.legs,
		line: parsed.line,
		parsed,
	}
	desk.originates.push(asked)
	const stories = desk.storiesOf(asked)
	return {
		whenKnown: (take) => originate(desk.core, parsed, stories, take, mode === 'foreground'),
	}
}

/**
 * Runs an API command.
 *
 * @param desk the switch
 * @param line command and arguments
 * @param jobUuid the job it belongs to
 * @param mode whether somebody waits for the result on the socket
 */
export function runApi(desk: Desk, line: string, jobUuid: string | undefined, mode: 'foreground' | 'background'): string | LaterResult {
	const space = line.indexOf(' ')
	const name = space < 0 ? line : line.slice(0, space)
	const argument = space < 0 ? '' : line.slice(space + 1)
	if (name.toLowerCase() === 'originate') {
		if (argument === '') {
			return '-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n'
		}
		return startOriginate(desk, argument, jobUuid ?? randomUUID(), mode)
	}
	const command = COMMANDS[name.toLowerCase()]
	return command === undefined ? `-ERR ${name} Command not found!\n` : command(desk, argument)
}
