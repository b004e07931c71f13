// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Console commands that the ExApp serves. */

import type { ExApp } from './ex-app.ts'
import type { OccResult } from './life-cycle.ts'
import type { OcsRoute } from './ocs.ts'
import type { OccArgument, OccCommand, OccOption, Registrations } from './registrations.ts'

import { callExApp } from './ex-app.ts'
import { printed } from './life-cycle.ts'
import { failure, internalError, ok } from './ocs-answer.ts'
import { areTexts, removed } from './ui.ts'

const PATH = '/apps/app_api/api/v1/occ_command'

export function occRoutes(registrations: Registrations, appId: string): OcsRoute[] {
	return [
		{
			method: 'POST',
			path: PATH,
			asks: 'exApp',
			handle: ({ body }) => {
				const { name, description, execute_handler: executeHandler, hidden = 0, arguments: args = [], options = [], usages = [] } = body
				if (!areTexts(name, description, executeHandler) || ![args, options, usages].every(Array.isArray)) {
					return internalError
				}
				registrations.put(registrations.occCommands, {
					name: String(name),
					description: String(description),
					hidden: Number(hidden),
					arguments: args as OccArgument[],
					options: options as OccOption[],
					usages: usages as unknown[],
					executeHandler: String(executeHandler),
				}, (command) => command.name === name)
				return ok()
			},
		},
		{
			method: 'GET',
			path: PATH,
			asks: 'exApp',
			handle: ({ body }) => {
				const command = registrations.occCommands.find(({ name }) => name === body.name)
				if (command === undefined) {
					return failure(404, '')
				}
				const { id, name, description, hidden, arguments: args, options, usages, executeHandler } = command
				return ok({ id, appid: appId, name, description, hidden, arguments: args, options, usages, execute_handler: executeHandler })
			},
		},
		{
			method: 'DELETE',
			path: PATH,
			asks: 'exApp',
			handle: ({ body }) => removed(registrations.occCommands, ({ name }) => name === body.name) ? ok() : failure(404, ''),
		},
	]
}

/**
 * Runs `occ <name> <args> --<options>`.
 *
 * @param exApp serves the command
 * @param commands what is registered
 * @param name such as `sipcall:status`
 * @param args in the order in which the command declares them
 * @param options by their long names; true for one without a value
 */
export async function runOcc(exApp: ExApp, commands: readonly OccCommand[], name: string, args: readonly string[] = [], options: Readonly<Record<string, unknown>> = {}): Promise<OccResult> {
	const command = exApp.isRegistered && exApp.isEnabled ? commands.find((known) => known.name === name) : undefined
	if (command === undefined) {
		return printed(1, `Command "${name}" is not defined.`)
	}
	const missing = command.arguments.filter(({ mode }, at) => mode?.split(',').includes('required') === true && args[at] === undefined)
	if (missing.length > 0) {
		return printed(1, `Not enough arguments (missing: "${missing.map((argument) => argument.name).join(', ')}").`)
	}
	if (args.length > command.arguments.length && command.arguments.every(({ mode }) => mode?.includes('array') !== true)) {
		return printed(1, command.arguments.length === 0 ? `No arguments expected for "${name}" command, got "${args[0]}".` : `Too many arguments to "${name}" command.`)
	}
	const unknown = Object.keys(options).find((given) => command.options.every((option) => option.name !== given))
	if (unknown !== undefined) {
		return printed(1, `The "--${unknown}" option does not exist.`)
	}
	const body = { occ: {
		// A command that declares none gets null.
		arguments: command.arguments.length === 0
			? null
			: Object.fromEntries(command.arguments.map(({ name: argument, mode, default: byDefault }, at) => [argument, mode?.includes('array') === true ? args.slice(at) : args[at] ?? byDefault ?? null])),
		options: command.options.length === 0
			? null
			: Object.fromEntries(command.options.map((option) => [option.name, options[option.name] ?? absent(option)])),
	} }
	try {
		const answer = await callExApp(exApp, { method: 'POST', path: `/${command.executeHandler.replace(/^\//, '')}`, isSigned: true, hasLanguage: true, body })
		return answer.status === 200 ? { exitCode: 0, output: answer.body } : printed(1, `[${name}] command executeHandler failed`)
	} catch (error) {
		return printed(1, `[${name}] command executeHandler failed. Error: ${error instanceof Error ? error.message : String(error)}`)
	}
}

function absent({ mode = 'none', default: byDefault }: OccOption): unknown {
	return byDefault ?? (mode === 'none' ? false : mode === 'array' ? [] : null)
}
