// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Everything that can be said of a part: what is, what to do, who can do it and where. The codes are part of the outer
// contract; the page translates them, and shows these sentences for those that it does not know.

export type PartState = 'ok' | 'degraded' | 'down' | 'not_set_up'

export interface Meaning {
	state: PartState
	/** What is. `{name}` stands for one of the finding's values. */
	text: string
	/** What to do; only what is well has none. */
	advice?: string
	fixableBy?: 'admin' | 'carrier' | 'nobody'
	/** The page of the administration where it is mended. */
	page?: 'connection' | 'policy' | 'users' | 'privacy'
	/** The page of docs/admin that says more. */
	doc?: 'away' | 'install' | 'freeswitch' | 'database' | 'settings' | 'policy' | 'commands' | 'doctor' | 'encryption' | 'provider' | 'audit-log' | 'privacy' | 'scaling'
	/** How loudly it is told, where the state alone says it too loudly or not loudly enough. */
	severity?: 'ok' | 'warning' | 'error'
}

function ok(text: string): Meaning {
	return { state: 'ok', text }
}

function wrong(state: Exclude<PartState, 'ok'>, text: string, advice: string, where: Omit<Meaning, 'state' | 'text' | 'advice'> = {}): Meaning {
	return { state, text, advice, fixableBy: 'admin', ...where }
}

const AT_SWITCH = { page: 'connection', doc: 'freeswitch' } as const
const AT_GATEWAY = { doc: 'freeswitch' } as const
const AT_CARRIER = { doc: 'provider' } as const
const AT_DATABASE = { doc: 'database' } as const
const AT_REPLICA = { doc: 'scaling' } as const
const AT_VOLUME = { doc: 'doctor' } as const
const AT_AUDIT = { page: 'privacy', doc: 'audit-log' } as const
const AT_JOURNAL = { page: 'privacy', doc: 'privacy' } as const
const AT_KEYS = { page: 'privacy', doc: 'encryption' } as const

const NEXTCLOUD = {
	nextcloud_ok: ok('Nextcloud answers.'),
	nextcloud_down: wrong('down', 'Nextcloud does not answer SIPCall.', 'Check that Nextcloud runs, and that the container reaches it at the address which the deploy daemon gives it.', { doc: 'install' }),
	nextcloud_refused: wrong('down', 'Nextcloud refuses SIPCall’s secret, or SIPCall is disabled there.', 'Enable SIPCall in Nextcloud. If that does not help, remove it without its data and install it again.', { doc: 'install' }),
	nextcloud_disabled: wrong('degraded', 'SIPCall is disabled in Nextcloud.', 'Enable it on Nextcloud’s page of apps.', { doc: 'install' }),
	clock_skew: wrong('degraded', 'The clocks of Nextcloud and SIPCall are {seconds} seconds apart.', 'Let both machines set their clocks by NTP: sign-ins and the times of calls depend on it.', { doc: 'doctor' }),
} as const

const SIPCALL = {
	sipcall_ok: ok('SIPCall {version} is up.'),
	sipcall_replicas: ok('SIPCall {version} is up, as one of {replicas} servers on this database.'),
	sipcall_starting: wrong('degraded', 'SIPCall is starting.', 'Wait a moment. If it stays so, the container’s log says why.', { fixableBy: 'nobody', doc: 'install' }),
	sipcall_failed: wrong('down', 'SIPCall cannot start. {reason}', 'Mend what is named. It is tried again by itself; the container’s log has the details.', { doc: 'install' }),
} as const

const STORAGE = {
	database_ok: ok('PostgreSQL answers.'),
	database_password_refused: wrong('down', 'PostgreSQL refuses SIPCall’s user or password. No call can be stored, so none is placed.', 'Set the right user and password in DATABASE_URL, and see that pg_hba.conf lets them in.', AT_DATABASE),
	database_missing: wrong('down', 'PostgreSQL has no database of this name. No call can be stored, so none is placed.', 'Make the database, or name the right one in DATABASE_URL.', AT_DATABASE),
	database_no_pgcrypto: wrong('down', 'PostgreSQL has no pgcrypto, and SIPCall may not add it. Without it nothing can be encrypted, so SIPCall does not start.', 'Install PostgreSQL’s contrib package on its server, and let a superuser run in this database: CREATE EXTENSION pgcrypto. It is tried again by itself.', AT_DATABASE),
	database_no_right: wrong('down', 'SIPCall’s user may not make tables in its database, so SIPCall does not start.', 'Make that user the owner of the database. It is tried again by itself.', AT_DATABASE),
	database_full: wrong('down', 'PostgreSQL’s disk is full. No call can be stored, so none is placed.', 'Make room on the disk of PostgreSQL’s server.', AT_DATABASE),
	database_clock: wrong('degraded', 'The clocks of PostgreSQL and SIPCall are {seconds} seconds apart.', 'Let both machines set their clocks by NTP: what is kept for how long, and who takes over from whom, depends on it.', AT_DATABASE),
	database_down: wrong('down', 'PostgreSQL does not answer. No call can be stored, so none is placed.', 'Without DATABASE_URL look at the container’s log and the space on its volume; with it, check that server and the way to it.', AT_DATABASE),
	database_read_only: wrong('down', 'PostgreSQL takes no changes: it is a replica, or read-only. No call can be placed.', 'Let DATABASE_URL name the primary server.', AT_DATABASE),
	database_logs: wrong('degraded', 'PostgreSQL’s own log may come to hold phone numbers or the encryption key, by {settings}.', 'Set these for SIPCall’s role as the documentation says.', AT_DATABASE),
	read_replica_ok: ok('The read replica answers.'),
	read_replica_late: wrong('degraded', 'The read replica is more than {seconds} seconds behind. The primary answers in its place.', 'Look at that server’s log and at pg_stat_replication on the primary. It is used again by itself.', AT_REPLICA),
	read_replica_away: wrong('degraded', 'The read replica does not answer. The primary answers in its place.', 'Check that server and the way to it. It is used again by itself.', AT_REPLICA),
	read_replica_foreign: wrong('degraded', 'This server is no streaming replica of SIPCall’s database, so nothing is read from it.', 'Let DATABASE_REPLICA_URLS name replicas of the server in DATABASE_URL, with the same database.', AT_REPLICA),
	disk_low: wrong('degraded', 'Only {megabytes} MB are left on SIPCall’s volume.', 'Make room on it, or delete old backups.', AT_VOLUME),
	disk_full: wrong('degraded', 'SIPCall’s volume is nearly full: {megabytes} MB are left.', 'Make room on it now, or delete old backups. A full volume ends calling where the database is on it, and elsewhere takes nothing of what waits while PostgreSQL is away.', { ...AT_VOLUME, severity: 'error' }),
	volume_away: wrong('degraded', 'SIPCall’s volume does not answer.', 'Look at the volume of the container: keys, backups, the erasure journal and what waits for PostgreSQL are on it.', { ...AT_VOLUME, severity: 'error' }),
	spool_waiting: wrong('degraded', 'PostgreSQL has not taken all that happened to calls. Changes that wait on the volume: {changes}.', 'They are stored by themselves when PostgreSQL takes them. SIPCall may be restarted meanwhile.', { fixableBy: 'nobody', doc: 'away' }),
	spool_disk_refuses: wrong('degraded', 'PostgreSQL has not taken all that happened to calls, and the volume does not take it either. Changes that wait in memory: {changes}.', 'Do not restart SIPCall before PostgreSQL answers: what waits would be lost. Make room on the volume, or see to its rights.', { doc: 'away', severity: 'error' }),
	keys_uncounted: wrong('degraded', 'Nobody knows at the moment which encryption keys the stored rows need.', 'Wait a moment. If it stays so, look at the database.', { ...AT_KEYS, severity: 'ok' }),
	key_missing: wrong('down', 'Stored rows need the encryption key {keys}, which is not loaded.', 'Give SIPCall that key back, as an earlier one: DATABASE_ENCRYPTION_KEYS_PREVIOUS, or its file on the volume.', { ...AT_KEYS, severity: 'warning' }),
	keys_differ: wrong('degraded', 'Another server of SIPCall has started since with another active encryption key.', 'Give all servers the same DATABASE_ENCRYPTION_KEY and the same earlier keys, and restart those that have others.', AT_KEYS),
	rows_unreadable: wrong('degraded', '{rows} stored rows cannot be decrypted with any loaded key.', 'They are damaged and stay as they are. Restore a backup if one has them whole.', AT_KEYS),
	key_change_slow: wrong('degraded', 'The encryption key was changed more than a day ago, and {left} of {total} rows are still under an earlier one.', 'Look at the log for what keeps it; it goes on by itself at each start, and every hour.', AT_KEYS),
	key_unneeded: wrong('degraded', 'Nothing needs the earlier encryption key any more: {keys}.', 'Take it out of DATABASE_ENCRYPTION_KEYS_PREVIOUS, or its file off the volume, and restart SIPCall.', AT_KEYS),
	records_unread: wrong('degraded', 'Nobody knows at the moment whether the erasure journal is as it was written.', 'Wait a moment. If it stays so, look at the volume.', { ...AT_JOURNAL, severity: 'ok' }),
	audit_broken: wrong('down', 'The audit log is not as it was written, from entry {seq} on.', 'Find out who could change the database, and keep a copy of it as it is: occ sipcall:audit:verify says why.', { ...AT_AUDIT, severity: 'warning' }),
	calls_unreadable: wrong('degraded', 'Since the start {calls} calls were read of which a number, note or name cannot be decrypted. They are shown without it.', 'Find out who could change the database, or whether its disk is damaged; the log names each call. Restore a backup if one has them whole. A key that is missing is named above.', AT_KEYS),
	journal_unreadable: wrong('down', 'The erasure journal on the volume cannot be read: what was erased could come back with a restore, and nothing can be erased.', 'Make room on the volume, or see to its rights.', { ...AT_JOURNAL, severity: 'warning' }),
	journal_damaged: wrong('down', 'The erasure journal is damaged (line {lines}): what that says could come back with a restore.', 'Put erasures.journal back from a copy of the volume. Without one move it away and restart SIPCall, which writes it anew from the database.', { ...AT_JOURNAL, severity: 'warning' }),
	journal_key_missing: wrong('down', 'The erasure journal needs the encryption key {keys}, which is not loaded: what it says could come back with a restore.', 'Give SIPCall that key back, as an earlier one: DATABASE_ENCRYPTION_KEYS_PREVIOUS, or its file on the volume.', { ...AT_JOURNAL, severity: 'warning' }),
	redis_ok: ok('Redis answers.'),
	redis_absent: wrong('not_set_up', 'There is no Redis. PostgreSQL counts the limits, which is enough for one server.', 'Nothing needs to be done.', { fixableBy: 'nobody', doc: 'install', severity: 'ok' }),
	redis_read_only: wrong('down', 'Redis takes no changes: it is a replica. SIPCall counts limits in memory, and allows a tenth of each.', 'Let REDIS_URL name the primary server, or the Sentinels, which know it.', { doc: 'install', severity: 'warning' }),
	redis_full: wrong('down', 'Redis takes no changes: its memory or its disk is full. SIPCall counts limits in memory, and allows a tenth of each.', 'Give that Redis more memory (maxmemory) or room on its disk, or let SIPCall have one of its own.', { doc: 'install', severity: 'warning' }),
	redis_password_refused: wrong('down', 'Redis refuses SIPCall’s user or password. SIPCall counts limits in memory, and allows a tenth of each.', 'Set the right user and password in REDIS_URL; with an ACL allow all commands on keys that begin with “sipcall:”.', { doc: 'install', severity: 'warning' }),
	redis_down: wrong('down', 'Redis does not answer. Until it is back SIPCall counts limits in memory, and allows a tenth of each.', 'With REDIS_URL check that server and the way to it; without it look at the container’s log.', { doc: 'install', severity: 'warning' }),
} as const

const SWITCH = {
	switch_ok: ok('FreeSWITCH {version} is connected.'),
	switch_ok_unversioned: ok('FreeSWITCH is connected.'),
	switch_old: wrong('degraded', 'FreeSWITCH {version} is older than 1.10, with which SIPCall is tested.', 'Update FreeSWITCH.', { doc: 'freeswitch' }),
	switch_stock_password: wrong('degraded', 'FreeSWITCH is connected, but with the password that every FreeSWITCH comes with: whoever reaches its port can make calls at the organisation’s expense.', 'Set another “password” in event_socket.conf.xml, reload mod_event_socket, and save the new one here.', AT_SWITCH),
	switch_clock: wrong('degraded', 'The clocks of FreeSWITCH and SIPCall are {seconds} seconds apart.', 'Let both machines set their clocks by NTP: the times of calls depend on it.', AT_SWITCH),
	switch_events_late: wrong('degraded', 'FreeSWITCH’s events come up to {seconds} seconds late: what is shown of a call is as late.', 'Look at the load of both machines, and at the network between them.', AT_GATEWAY),
	switch_not_set_up: wrong('not_set_up', 'Nobody can call yet: no FreeSWITCH is set up.', 'Set its host and its Event Socket’s password.', AT_SWITCH),
	switch_connecting: wrong('degraded', 'Nobody can call yet: SIPCall is connecting to FreeSWITCH.', 'Wait a moment.', { ...AT_SWITCH, fixableBy: 'nobody' }),
	switch_host_unknown: wrong('down', 'The name of FreeSWITCH’s host leads nowhere.', 'Check the host’s spelling, and that the container’s DNS knows it.', AT_SWITCH),
	switch_port_closed: wrong('down', 'FreeSWITCH’s host answers, but nobody listens on this port.', 'Check that FreeSWITCH runs, the port, and “listen-ip” in event_socket.conf.xml: it must not be 127.0.0.1 for a container elsewhere.', AT_SWITCH),
	switch_no_answer: wrong('down', 'FreeSWITCH does not answer.', 'Check host and port, and the firewalls between the container and FreeSWITCH.', AT_SWITCH),
	switch_no_event_socket: wrong('down', 'Something answers at this host and port, but it is no Event Socket.', 'Check the port: the Event Socket’s is 8021 unless it was changed.', AT_SWITCH),
	switch_address_refused: wrong('down', 'FreeSWITCH’s access list does not allow SIPCall’s address.', 'Set “apply-inbound-acl” in event_socket.conf.xml to a list that has the container’s address. Without one only FreeSWITCH’s own host may connect.', AT_SWITCH),
	switch_password_refused: wrong('down', 'FreeSWITCH refused the password.', 'Type the password of event_socket.conf.xml again; with a user, that of the user in FreeSWITCH’s directory.', AT_SWITCH),
	switch_events_denied: wrong('down', 'FreeSWITCH does not let its Event Socket user hear the events by which calls are followed.', 'Put all events of the user that is shown under “What FreeSWITCH needs in its configuration” into “esl-allowed-events”. “Test connection” names those that are missing.', AT_SWITCH),
	switch_lost: wrong('down', 'The connection to FreeSWITCH broke.', 'It is tried again by itself. If it stays so, check that FreeSWITCH runs, and the network between the two.', AT_SWITCH),
	switch_paused: wrong('down', 'FreeSWITCH is connected and takes no new calls: it is paused, or on its way down.', 'Let it go on with “fsctl resume”, or start it again.', AT_SWITCH),
	switch_full: wrong('degraded', 'FreeSWITCH has {sessions} of at most {maxSessions} sessions, and takes no more calls.', 'Raise “max-sessions” in switch.conf.xml if the machine can carry more.', AT_SWITCH),
	switch_reached: ok('An Event Socket answers.'),
	switch_password_ok: ok('FreeSWITCH accepted the password.'),
	switch_commands_ok: ok('FreeSWITCH allows all commands that SIPCall needs.'),
	switch_commands_denied: wrong('down', 'FreeSWITCH does not allow these commands: {commands}.', 'Add them to “esl-allowed-api” and “esl-allowed-events” of the Event Socket’s user, or load the module that has them.', AT_SWITCH),
	switch_controls_denied: wrong('degraded', 'FreeSWITCH does not allow these commands, so calls can be placed, but not held, handed on or sent tones: {commands}.', 'Add them to “esl-allowed-api” and “esl-allowed-events” of the Event Socket’s user, or load the module that has them.', AT_SWITCH),
} as const

const GATEWAY = {
	gateway_registered: ok('Registered with the phone company.'),
	gateway_answers: ok('The phone company answers FreeSWITCH’s pings.'),
	gateway_unwatched: wrong('degraded', 'Nobody knows whether it works: FreeSWITCH neither registers nor pings it, and calls it up in any case.', 'Set “ping” and “ping-min” on this gateway in FreeSWITCH.', AT_GATEWAY),
	gateway_registering: wrong('degraded', 'It is registering with the phone company just now.', 'Wait a moment. If it stays so, check the gateway’s user name and password in FreeSWITCH.', AT_GATEWAY),
	gateway_registration_failed: wrong('down', 'It could not register, so no call goes through it.', 'Check the gateway’s user name, password and realm in FreeSWITCH against the phone company’s.', AT_GATEWAY),
	gateway_silent: wrong('down', 'The phone company does not answer, so no call goes through it.', 'Check the gateway’s “proxy” in FreeSWITCH and the firewall. If both are right, ask the phone company.', { ...AT_GATEWAY, fixableBy: 'carrier' }),
	gateway_missing: wrong('down', 'FreeSWITCH has no gateway of this name.', 'Choose one that FreeSWITCH has, or add it there and run: sofia profile external rescan.', AT_SWITCH),
	gateway_not_told: wrong('degraded', 'FreeSWITCH does not tell its state.', 'Allow the command “sofia” to the Event Socket’s user.', AT_GATEWAY),
	gateway_unasked: wrong('degraded', 'Not known, because FreeSWITCH is not connected.', 'Connect FreeSWITCH first.', AT_SWITCH),
	caller_id_ok: ok('Caller ID {position} is a possible number.'),
	caller_id_own: ok('No caller ID is set: the gateway shows its own.'),
	caller_id_invalid: wrong('degraded', 'Caller ID {position} is no possible number.', 'Correct it: the phone company may refuse calls that show it.', { page: 'connection', doc: 'settings' }),
} as const

const CARRIER = {
	carrier_generic: wrong('not_set_up', 'The phone company cannot be asked: the provider “generic” has no interface for that. What its gateways say stands above.', 'Nothing needs to be done.', { fixableBy: 'nobody', doc: 'doctor', severity: 'ok' }),
	carrier_ok: ok('{company} answers.'),
	carrier_credit: ok('{company} answers. {credit} can still be spent.'),
	carrier_unreachable: wrong('down', 'The phone company’s interface does not answer. Calls go on all the same.', 'Check the way from the container to the internet. It is asked again by itself.', { ...AT_CARRIER, severity: 'warning', fixableBy: 'carrier' }),
	carrier_limited: wrong('degraded', '{company} was asked too often and is left alone for a while. Calls go on all the same.', 'Wait. If it stays so, see who else uses the same key.', { ...AT_CARRIER, fixableBy: 'nobody' }),
	carrier_key_refused: wrong('down', '{company} refuses the key.', 'Make a new key in its portal and save it here.', { ...AT_CARRIER, severity: 'warning', page: 'connection' }),
	carrier_balance_not_told: wrong('not_set_up', 'The key may not read the balance of the account at {company}.', 'Nothing needs to be done, unless the credit is to be watched here.', { ...AT_CARRIER, severity: 'ok' }),
	carrier_account_blocked: wrong('down', 'The account at {company} is blocked or may not call yet.', 'Its portal says why: most often credit or a verification is missing.', { ...AT_CARRIER, severity: 'warning' }),
	carrier_no_credit: wrong('down', 'The credit at {company} is used up, so it refuses calls.', 'Add credit in its portal.', { ...AT_CARRIER, severity: 'warning' }),
	carrier_trunk_unknown: wrong('degraded', 'Which trunk at {company} is the one of FreeSWITCH is not known.', 'Set the id of the connection that FreeSWITCH uses.', { ...AT_CARRIER, page: 'connection' }),
	carrier_trunk_off: wrong('down', 'The trunk is switched off at {company}.', 'Switch the connection on in its portal.', { ...AT_CARRIER, severity: 'warning' }),
	carrier_no_profile: wrong('down', 'The trunk has no outbound voice profile at {company}, so no call goes out.', 'Give the connection a profile in its portal.', { ...AT_CARRIER, severity: 'warning' }),
	carrier_profile_off: wrong('down', 'Outgoing calls are switched off at {company}.', 'Switch the outbound voice profile on in its portal.', { ...AT_CARRIER, severity: 'warning' }),
	carrier_no_spend_limit: wrong('degraded', 'At {company} no limit is set on what calls may cost in a day.', 'Set one in its portal: it holds also when somebody gets hold of the trunk’s password.', AT_CARRIER),
	carrier_more_countries: wrong('degraded', '{company} lets calls through to countries that are not allowed here: {countries}.', 'Take them off in its portal: nobody can call them from here, but whoever gets hold of the trunk’s password can.', AT_CARRIER),
	carrier_fewer_countries: wrong('degraded', '{company} refuses calls to countries that are allowed here: {countries}. They are refused before anything is dialled.', 'Allow them in its portal, or take them off here.', { ...AT_CARRIER, page: 'policy' }),
	carrier_spends_more: wrong('degraded', 'The limit for a day at {company}, {theirs}, is above the one here, {ours}.', 'Lower it in its portal.', AT_CARRIER),
	carrier_spends_less: wrong('degraded', 'The limit for a day at {company}, {theirs}, is below the one here, {ours}, and is reached first.', 'Raise it in its portal, or lower the one here.', { ...AT_CARRIER, page: 'policy' }),
	carrier_fewer_calls: wrong('degraded', '{company} carries {theirs} calls at a time, and {ours} are allowed here.', 'Raise the limit in its portal, or lower the one here.', { ...AT_CARRIER, page: 'policy' }),
	carrier_too_dear: wrong('degraded', '{company} refuses calls above {theirs} a minute. Rates here that are above it: {count}.', 'Raise the highest rate in its portal, or deny these prefixes here.', { ...AT_CARRIER, page: 'policy' }),
	carrier_caller_id: wrong('degraded', 'Caller ID {position} is no number of the account at {company}, and not verified there, so it may refuse calls that show it.', 'Verify the number in its portal, or choose another one.', { ...AT_CARRIER, page: 'connection' }),
} as const

const RULES = {
	calling_everybody: ok('Everybody may call.'),
	calling_groups: ok('Members of the named groups may call.'),
	calling_no_group: wrong('not_set_up', 'Nobody can call: no group is allowed to.', 'Name the groups whose members may call.', { page: 'policy', doc: 'settings' }),
	calling_no_country: wrong('not_set_up', 'Nobody can call yet: no country is allowed.', 'Set the home country.', { page: 'policy', doc: 'settings' }),
	sign_in_not_set_up: wrong('not_set_up', 'Other programs than Nextcloud’s own pages cannot sign in: no OAuth client is set up.', 'Needed only for such programs: add a client in Nextcloud beneath Administration settings, Security, OAuth 2.0 clients, and save its identifier and secret here.', { page: 'connection', doc: 'settings', severity: 'ok' }),
	spending_unlimited: wrong('degraded', 'Nothing limits what all calls together may cost: neither in a day nor in a month.', 'Enter rates, and set a limit for a day or for a month.', { page: 'policy', doc: 'policy' }),
	backup_none: wrong('degraded', 'There is no backup, and SIPCall’s data are on one volume only.', 'Make one with: occ sipcall:backup. Let a timer do so each night, and copy it elsewhere.', { doc: 'install' }),
	backup_overdue: wrong('degraded', 'The last backup is {days} days old, and SIPCall’s data are on one volume only.', 'Make one with: occ sipcall:backup. Let a timer do so each night, and copy it elsewhere.', { doc: 'install' }),
	backups_unread: wrong('degraded', 'Nobody knows at the moment when the last backup was made.', 'Wait a moment. If it stays so, look at the volume.', { ...AT_VOLUME, fixableBy: 'nobody', severity: 'ok' }),
	settings_ignored: wrong('degraded', 'Settings in Nextcloud’s form mean nothing, so what counted before counts: {settings}.', 'Correct them there, or on SIPCall’s own pages, which say what each may be.', { page: 'policy', doc: 'settings' }),
	removed_users: wrong('degraded', '{reason}', 'Delete what is held of users who are gone with: occ sipcall:user:purge.', { doc: 'commands' }),
	locked_users: wrong('degraded', 'Calling is locked after too many calls that are not allowed. Users: {count}.', 'The list of users shows whom, and unlocks.', { page: 'users', doc: 'policy' }),
} as const

export const FINDINGS = { ...NEXTCLOUD, ...SIPCALL, ...STORAGE, ...SWITCH, ...GATEWAY, ...CARRIER, ...RULES } satisfies Record<string, Meaning>

/** In the order of the documentation. */
export const FINDING_GROUPS: readonly { title: string, findings: Readonly<Record<string, Meaning>> }[] = [
	{ title: 'Nextcloud', findings: NEXTCLOUD },
	{ title: 'SIPCall', findings: SIPCALL },
	{ title: 'PostgreSQL, the volume, keys and Redis', findings: STORAGE },
	{ title: 'FreeSWITCH', findings: SWITCH },
	{ title: 'Gateways and caller IDs', findings: GATEWAY },
	{ title: 'The phone company', findings: CARRIER },
	{ title: 'Who may call, and what should be set up', findings: RULES },
]

export type FindingCode = keyof typeof FINDINGS

/** Never a phone number or a secret. */
export type FindingValues = Readonly<Record<string, string | number>>

export interface Finding {
	code: FindingCode
	state: PartState
	text: string
	advice?: string
	fixableBy?: Meaning['fixableBy']
	page?: Meaning['page']
	values?: FindingValues
}

/** A finding in its sentences. */
export function finding(code: FindingCode, values?: FindingValues): Finding {
	const { state, text, advice, fixableBy, page }: Meaning = FINDINGS[code]
	return {
		code,
		state,
		text: text.replaceAll(/\{(\w+)\}/g, (hole, name: string) => String(values?.[name] ?? hole)),
		...(advice === undefined ? {} : { advice }),
		...(fixableBy === undefined ? {} : { fixableBy }),
		...(page === undefined ? {} : { page }),
		...(values === undefined ? {} : { values }),
	}
}
