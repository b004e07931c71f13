// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The console commands that Nextcloud is told of; lib/http/routes/occ.ts serves them.

interface OccArgument {
	name: string
	/** AppAPI's `ExAppOccService`. */
	mode: 'required' | 'optional'
	description: string
}

interface OccOption {
	name: string
	/** `none`: a flag. */
	mode: 'none' | 'optional'
	description: string
}

export interface OccCommand {
	name: string
	description: string
	arguments?: readonly OccArgument[]
	options?: readonly OccOption[]
	/** The path below the app. */
	handler: string
}

export const OCC_COMMANDS: readonly OccCommand[] = [
	{
		name: 'sipcall:status',
		description: 'Shows whether SIPCall can place calls, and what is wrong',
		handler: 'occ/status',
	},
	{
		name: 'sipcall:doctor',
		description: 'The same as sipcall:status: looks at each part, says what is wrong and what to do',
		handler: 'occ/status',
	},
	{
		name: 'sipcall:log-level',
		description: 'Sets how much SIPCall logs, until it is restarted',
		arguments: [{ name: 'level', mode: 'required', description: 'error, warn, info or debug' }],
		handler: 'occ/log-level',
	},
	{
		name: 'sipcall:user:purge',
		description: 'Deletes all that SIPCall holds of a user: calls, notes, phones, sign-ins. It cannot be undone',
		arguments: [{ name: 'user', mode: 'required', description: 'The user’s id in Nextcloud; the user may be gone already' }],
		options: [
			{ name: 'yes', mode: 'none', description: 'Delete; without it the command only counts' },
		],
		handler: 'occ/user/purge',
	},
	{
		name: 'sipcall:export',
		description: 'Prints all that SIPCall holds of a user as one JSON document',
		arguments: [{ name: 'user', mode: 'required', description: 'The user’s id in Nextcloud' }],
		handler: 'occ/export',
	},
	{
		name: 'sipcall:audit:verify',
		description: 'Checks that nothing was changed, removed or put in in the audit log, and names the first entry that is not in order',
		handler: 'occ/audit/verify',
	},
	{
		name: 'sipcall:rotate-keys',
		description: 'Makes a new encryption key on the volume, and brings all stored rows under it; calls go on meanwhile',
		options: [{ name: 'status', mode: 'none', description: 'Only show which keys are in use, and how far a change is' }],
		handler: 'occ/rotate-keys',
	},
	{
		name: 'sipcall:cdr-import',
		description: 'Reads the call records that FreeSWITCH (mod_json_cdr) has kept while SIPCall was away; doing it again changes nothing',
		arguments: [{ name: 'folder', mode: 'required', description: 'The whole path of the error directory, as it is in SIPCall’s container' }],
		handler: 'occ/cdr-import',
	},
	{
		name: 'sipcall:backup',
		description: 'Makes a backup of SIPCall’s database on its volume; calls go on meanwhile',
		options: [{ name: 'list', mode: 'none', description: 'Only list the backups that are there' }],
		handler: 'occ/backup',
	},
	{
		name: 'sipcall:restore',
		description: 'Puts a backup in the place of all data. It cannot be undone, except by another backup',
		arguments: [{ name: 'backup', mode: 'required', description: 'The backup’s name, as sipcall:backup --list shows it' }],
		options: [{ name: 'force', mode: 'none', description: 'Restore although calls are open' }],
		handler: 'occ/restore',
	},
]
