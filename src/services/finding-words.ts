// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The doctor's findings in the user's language, by their codes. The English sentences are the server's own. */

import { t } from './l10n.ts'

type Values = Record<string, string | number>

interface Words {
	text: (values: Values) => string
	advice?: () => string
}

const WORDS: Readonly<Record<string, Words>> = {
	nextcloud_ok: { text: () => t('Nextcloud answers.') },
	nextcloud_down: { text: () => t('Nextcloud does not answer SIPCall.'), advice: () => t('Check that Nextcloud runs, and that the container reaches it at the address which the deploy daemon gives it.') },
	nextcloud_refused: { text: () => t('Nextcloud refuses SIPCall’s secret, or SIPCall is disabled there.'), advice: () => t('Enable SIPCall in Nextcloud. If that does not help, remove it without its data and install it again.') },
	nextcloud_disabled: { text: () => t('SIPCall is disabled in Nextcloud.'), advice: () => t('Enable it on Nextcloud’s page of apps.') },
	clock_skew: { text: (values) => t('The clocks of Nextcloud and SIPCall are {seconds} seconds apart.', values), advice: () => t('Let both machines set their clocks by NTP: sign-ins and the times of calls depend on it.') },
	sipcall_ok: { text: (values) => t('SIPCall {version} is up.', values) },
	sipcall_replicas: { text: (values) => t('SIPCall {version} is up, as one of {replicas} servers on this database.', values) },
	sipcall_starting: { text: () => t('SIPCall is starting.'), advice: () => t('Wait a moment. If it stays so, the container’s log says why.') },
	sipcall_failed: { text: (values) => t('SIPCall cannot start. {reason}', values), advice: () => t('Mend what is named. It is tried again by itself; the container’s log has the details.') },
	database_ok: { text: () => t('PostgreSQL answers.') },
	database_password_refused: { text: () => t('PostgreSQL refuses SIPCall’s user or password. No call can be stored, so none is placed.'), advice: () => t('Set the right user and password in DATABASE_URL, and see that pg_hba.conf lets them in.') },
	database_missing: { text: () => t('PostgreSQL has no database of this name. No call can be stored, so none is placed.'), advice: () => t('Make the database, or name the right one in DATABASE_URL.') },
	database_no_pgcrypto: { text: () => t('PostgreSQL has no pgcrypto, and SIPCall may not add it. Without it nothing can be encrypted, so SIPCall does not start.'), advice: () => t('Install PostgreSQL’s contrib package on its server, and let a superuser run in this database: CREATE EXTENSION pgcrypto. It is tried again by itself.') },
	database_no_right: { text: () => t('SIPCall’s user may not make tables in its database, so SIPCall does not start.'), advice: () => t('Make that user the owner of the database. It is tried again by itself.') },
	database_full: { text: () => t('PostgreSQL’s disk is full. No call can be stored, so none is placed.'), advice: () => t('Make room on the disk of PostgreSQL’s server.') },
	database_clock: { text: (values) => t('The clocks of PostgreSQL and SIPCall are {seconds} seconds apart.', values), advice: () => t('Let both machines set their clocks by NTP: what is kept for how long, and who takes over from whom, depends on it.') },
	database_down: { text: () => t('PostgreSQL does not answer. No call can be stored, so none is placed.'), advice: () => t('Without DATABASE_URL look at the container’s log and the space on its volume; with it, check that server and the way to it.') },
	database_read_only: { text: () => t('PostgreSQL takes no changes: it is a replica, or read-only. No call can be placed.'), advice: () => t('Let DATABASE_URL name the primary server.') },
	database_logs: { text: (values) => t('PostgreSQL’s own log may come to hold phone numbers or the encryption key, by {settings}.', values), advice: () => t('Set these for SIPCall’s role as the documentation says.') },
	read_replica_ok: { text: () => t('The read replica answers.') },
	read_replica_late: { text: (values) => t('The read replica is more than {seconds} seconds behind. The primary answers in its place.', values), advice: () => t('Look at that server’s log and at pg_stat_replication on the primary. It is used again by itself.') },
	read_replica_away: { text: () => t('The read replica does not answer. The primary answers in its place.'), advice: () => t('Check that server and the way to it. It is used again by itself.') },
	read_replica_foreign: { text: () => t('This server is no streaming replica of SIPCall’s database, so nothing is read from it.'), advice: () => t('Let DATABASE_REPLICA_URLS name replicas of the server in DATABASE_URL, with the same database.') },
	disk_low: { text: (values) => t('Only {megabytes} MB are left on SIPCall’s volume.', values), advice: () => t('Make room on it, or delete old backups.') },
	disk_full: { text: (values) => t('SIPCall’s volume is nearly full: {megabytes} MB are left.', values), advice: () => t('Make room on it now, or delete old backups. A full volume ends calling where the database is on it, and elsewhere takes nothing of what waits while PostgreSQL is away.') },
	volume_away: { text: () => t('SIPCall’s volume does not answer.'), advice: () => t('Look at the volume of the container: keys, backups, the erasure journal and what waits for PostgreSQL are on it.') },
	spool_waiting: { text: (values) => t('PostgreSQL has not taken all that happened to calls. Changes that wait on the volume: {changes}.', values), advice: () => t('They are stored by themselves when PostgreSQL takes them. SIPCall may be restarted meanwhile.') },
	spool_disk_refuses: { text: (values) => t('PostgreSQL has not taken all that happened to calls, and the volume does not take it either. Changes that wait in memory: {changes}.', values), advice: () => t('Do not restart SIPCall before PostgreSQL answers: what waits would be lost. Make room on the volume, or see to its rights.') },
	keys_uncounted: { text: () => t('Nobody knows at the moment which encryption keys the stored rows need.'), advice: () => t('Wait a moment. If it stays so, look at the database.') },
	key_missing: { text: (values) => t('Stored rows need the encryption key {keys}, which is not loaded.', values), advice: () => t('Give SIPCall that key back, as an earlier one: DATABASE_ENCRYPTION_KEYS_PREVIOUS, or its file on the volume.') },
	keys_differ: { text: () => t('Another server of SIPCall has started since with another active encryption key.'), advice: () => t('Give all servers the same DATABASE_ENCRYPTION_KEY and the same earlier keys, and restart those that have others.') },
	rows_unreadable: { text: (values) => t('{rows} stored rows cannot be decrypted with any loaded key.', values), advice: () => t('They are damaged and stay as they are. Restore a backup if one has them whole.') },
	key_change_slow: { text: (values) => t('The encryption key was changed more than a day ago, and {left} of {total} rows are still under an earlier one.', values), advice: () => t('Look at the log for what keeps it; it goes on by itself at each start, and every hour.') },
	key_unneeded: { text: (values) => t('Nothing needs the earlier encryption key any more: {keys}.', values), advice: () => t('Take it out of DATABASE_ENCRYPTION_KEYS_PREVIOUS, or its file off the volume, and restart SIPCall.') },
	records_unread: { text: () => t('Nobody knows at the moment whether the erasure journal is as it was written.'), advice: () => t('Wait a moment. If it stays so, look at the volume.') },
	audit_broken: { text: (values) => t('The audit log is not as it was written, from entry {seq} on.', values), advice: () => t('Find out who could change the database, and keep a copy of it as it is: occ sipcall:audit:verify says why.') },
	journal_unreadable: { text: () => t('The erasure journal on the volume cannot be read: what was erased could come back with a restore, and nothing can be erased.'), advice: () => t('Make room on the volume, or see to its rights.') },
	journal_damaged: { text: (values) => t('The erasure journal is damaged (line {lines}): what that says could come back with a restore.', values), advice: () => t('Put erasures.journal back from a copy of the volume. Without one move it away and restart SIPCall, which writes it anew from the database.') },
	journal_key_missing: { text: (values) => t('The erasure journal needs the encryption key {keys}, which is not loaded: what it says could come back with a restore.', values), advice: () => t('Give SIPCall that key back, as an earlier one: DATABASE_ENCRYPTION_KEYS_PREVIOUS, or its file on the volume.') },
	redis_ok: { text: () => t('Redis answers.') },
	redis_absent: { text: () => t('There is no Redis. PostgreSQL counts the limits, which is enough for one server.'), advice: () => t('Nothing needs to be done.') },
	redis_read_only: { text: () => t('Redis takes no changes: it is a replica. SIPCall counts limits in memory, and allows a tenth of each.'), advice: () => t('Let REDIS_URL name the primary server, or the Sentinels, which know it.') },
	redis_full: { text: () => t('Redis takes no changes: its memory or its disk is full. SIPCall counts limits in memory, and allows a tenth of each.'), advice: () => t('Give that Redis more memory (maxmemory) or room on its disk, or let SIPCall have one of its own.') },
	redis_password_refused: { text: () => t('Redis refuses SIPCall’s user or password. SIPCall counts limits in memory, and allows a tenth of each.'), advice: () => t('Set the right user and password in REDIS_URL; with an ACL allow all commands on keys that begin with “sipcall:”.') },
	redis_down: { text: () => t('Redis does not answer. Until it is back SIPCall counts limits in memory, and allows a tenth of each.'), advice: () => t('With REDIS_URL check that server and the way to it; without it look at the container’s log.') },
	switch_ok: { text: (values) => t('FreeSWITCH {version} is connected.', values) },
	switch_ok_unversioned: { text: () => t('FreeSWITCH is connected.') },
	switch_old: { text: (values) => t('FreeSWITCH {version} is older than 1.10, with which SIPCall is tested.', values), advice: () => t('Update FreeSWITCH.') },
	switch_stock_password: { text: () => t('FreeSWITCH is connected, but with the password that every FreeSWITCH comes with: whoever reaches its port can make calls at the organisation’s expense.'), advice: () => t('Set another “password” in event_socket.conf.xml, reload mod_event_socket, and save the new one here.') },
	switch_clock: { text: (values) => t('The clocks of FreeSWITCH and SIPCall are {seconds} seconds apart.', values), advice: () => t('Let both machines set their clocks by NTP: the times of calls depend on it.') },
	switch_events_late: { text: (values) => t('FreeSWITCH’s events come up to {seconds} seconds late: what is shown of a call is as late.', values), advice: () => t('Look at the load of both machines, and at the network between them.') },
	switch_not_set_up: { text: () => t('Nobody can call yet: no FreeSWITCH is set up.'), advice: () => t('Set its host and its Event Socket’s password.') },
	switch_connecting: { text: () => t('Nobody can call yet: SIPCall is connecting to FreeSWITCH.'), advice: () => t('Wait a moment.') },
	switch_host_unknown: { text: () => t('The name of FreeSWITCH’s host leads nowhere.'), advice: () => t('Check the host’s spelling, and that the container’s DNS knows it.') },
	switch_port_closed: { text: () => t('FreeSWITCH’s host answers, but nobody listens on this port.'), advice: () => t('Check that FreeSWITCH runs, the port, and “listen-ip” in event_socket.conf.xml: it must not be 127.0.0.1 for a container elsewhere.') },
	switch_no_answer: { text: () => t('FreeSWITCH does not answer.'), advice: () => t('Check host and port, and the firewalls between the container and FreeSWITCH.') },
	switch_no_event_socket: { text: () => t('Something answers at this host and port, but it is no Event Socket.'), advice: () => t('Check the port: the Event Socket’s is 8021 unless it was changed.') },
	switch_address_refused: { text: () => t('FreeSWITCH’s access list does not allow SIPCall’s address.'), advice: () => t('Set “apply-inbound-acl” in event_socket.conf.xml to a list that has the container’s address. Without one only FreeSWITCH’s own host may connect.') },
	switch_password_refused: { text: () => t('FreeSWITCH refused the password.'), advice: () => t('Type the password of event_socket.conf.xml again; with a user, that of the user in FreeSWITCH’s directory.') },
	switch_lost: { text: () => t('The connection to FreeSWITCH broke.'), advice: () => t('It is tried again by itself. If it stays so, check that FreeSWITCH runs, and the network between the two.') },
	switch_paused: { text: () => t('FreeSWITCH is connected and takes no new calls: it is paused, or on its way down.'), advice: () => t('Let it go on with “fsctl resume”, or start it again.') },
	switch_full: { text: (values) => t('FreeSWITCH has {sessions} of at most {maxSessions} sessions, and takes no more calls.', values), advice: () => t('Raise “max-sessions” in switch.conf.xml if the machine can carry more.') },
	switch_reached: { text: () => t('An Event Socket answers.') },
	switch_password_ok: { text: () => t('FreeSWITCH accepted the password.') },
	switch_commands_ok: { text: () => t('FreeSWITCH allows all commands that SIPCall needs.') },
	switch_commands_denied: { text: (values) => t('FreeSWITCH does not allow these commands: {commands}.', values), advice: () => t('Add them to “esl-allowed-api” and “esl-allowed-events” of the Event Socket’s user, or load the module that has them.') },
	switch_controls_denied: { text: (values) => t('FreeSWITCH does not allow these commands, so calls can be placed, but not held, handed on or sent tones: {commands}.', values), advice: () => t('Add them to “esl-allowed-api” and “esl-allowed-events” of the Event Socket’s user, or load the module that has them.') },
	gateway_registered: { text: () => t('Registered with the phone company.') },
	gateway_answers: { text: () => t('The phone company answers FreeSWITCH’s pings.') },
	gateway_unwatched: { text: () => t('Nobody knows whether it works: FreeSWITCH neither registers nor pings it, and calls it up in any case.'), advice: () => t('Set “ping” and “ping-min” on this gateway in FreeSWITCH.') },
	gateway_registering: { text: () => t('It is registering with the phone company just now.'), advice: () => t('Wait a moment. If it stays so, check the gateway’s user name and password in FreeSWITCH.') },
	gateway_registration_failed: { text: () => t('It could not register, so no call goes through it.'), advice: () => t('Check the gateway’s user name, password and realm in FreeSWITCH against the phone company’s.') },
	gateway_silent: { text: () => t('The phone company does not answer, so no call goes through it.'), advice: () => t('Check the gateway’s “proxy” in FreeSWITCH and the firewall. If both are right, ask the phone company.') },
	gateway_missing: { text: () => t('FreeSWITCH has no gateway of this name.'), advice: () => t('Choose one that FreeSWITCH has, or add it there and run: sofia profile external rescan.') },
	gateway_not_told: { text: () => t('FreeSWITCH does not tell its state.'), advice: () => t('Allow the command “sofia” to the Event Socket’s user.') },
	gateway_unasked: { text: () => t('Not known, because FreeSWITCH is not connected.'), advice: () => t('Connect FreeSWITCH first.') },
	caller_id_ok: { text: (values) => t('Caller ID {position} is a possible number.', values) },
	caller_id_own: { text: () => t('No caller ID is set: the gateway shows its own.') },
	caller_id_invalid: { text: (values) => t('Caller ID {position} is no possible number.', values), advice: () => t('Correct it: the phone company may refuse calls that show it.') },
	carrier_generic: { text: () => t('The phone company cannot be asked: the provider “generic” has no interface for that. What its gateways say stands above.'), advice: () => t('Nothing needs to be done.') },
	carrier_ok: { text: (values) => t('{company} answers.', values) },
	carrier_credit: { text: (values) => t('{company} answers. {credit} can still be spent.', values) },
	carrier_unreachable: { text: () => t('The phone company’s interface does not answer. Calls go on all the same.'), advice: () => t('Check the way from the container to the internet. It is asked again by itself.') },
	carrier_limited: { text: (values) => t('{company} was asked too often and is left alone for a while. Calls go on all the same.', values), advice: () => t('Wait. If it stays so, see who else uses the same key.') },
	carrier_key_refused: { text: (values) => t('{company} refuses the key.', values), advice: () => t('Make a new key in its portal and save it here.') },
	carrier_balance_not_told: { text: (values) => t('The key may not read the balance of the account at {company}.', values), advice: () => t('Nothing needs to be done, unless the credit is to be watched here.') },
	carrier_account_blocked: { text: (values) => t('The account at {company} is blocked or may not call yet.', values), advice: () => t('Its portal says why: most often credit or a verification is missing.') },
	carrier_no_credit: { text: (values) => t('The credit at {company} is used up, so it refuses calls.', values), advice: () => t('Add credit in its portal.') },
	carrier_trunk_unknown: { text: (values) => t('Which trunk at {company} is the one of FreeSWITCH is not known.', values), advice: () => t('Set the id of the connection that FreeSWITCH uses.') },
	carrier_trunk_off: { text: (values) => t('The trunk is switched off at {company}.', values), advice: () => t('Switch the connection on in its portal.') },
	carrier_no_profile: { text: (values) => t('The trunk has no outbound voice profile at {company}, so no call goes out.', values), advice: () => t('Give the connection a profile in its portal.') },
	carrier_profile_off: { text: (values) => t('Outgoing calls are switched off at {company}.', values), advice: () => t('Switch the outbound voice profile on in its portal.') },
	carrier_no_spend_limit: { text: (values) => t('At {company} no limit is set on what calls may cost in a day.', values), advice: () => t('Set one in its portal: it holds also when somebody gets hold of the trunk’s password.') },
	carrier_more_countries: { text: (values) => t('{company} lets calls through to countries that are not allowed here: {countries}.', values), advice: () => t('Take them off in its portal: nobody can call them from here, but whoever gets hold of the trunk’s password can.') },
	carrier_fewer_countries: { text: (values) => t('{company} refuses calls to countries that are allowed here: {countries}. They are refused before anything is dialled.', values), advice: () => t('Allow them in its portal, or take them off here.') },
	carrier_spends_more: { text: (values) => t('The limit for a day at {company}, {theirs}, is above the one here, {ours}.', values), advice: () => t('Lower it in its portal.') },
	carrier_spends_less: { text: (values) => t('The limit for a day at {company}, {theirs}, is below the one here, {ours}, and is reached first.', values), advice: () => t('Raise it in its portal, or lower the one here.') },
	carrier_fewer_calls: { text: (values) => t('{company} carries {theirs} calls at a time, and {ours} are allowed here.', values), advice: () => t('Raise the limit in its portal, or lower the one here.') },
	carrier_too_dear: { text: (values) => t('{company} refuses calls above {theirs} a minute. Rates here that are above it: {count}.', values), advice: () => t('Raise the highest rate in its portal, or deny these prefixes here.') },
	carrier_caller_id: { text: (values) => t('Caller ID {position} is no number of the account at {company}, and not verified there, so it may refuse calls that show it.', values), advice: () => t('Verify the number in its portal, or choose another one.') },
	calling_everybody: { text: () => t('Everybody may call.') },
	calling_groups: { text: () => t('Members of the named groups may call.') },
	calling_no_group: { text: () => t('Nobody can call: no group is allowed to.'), advice: () => t('Name the groups whose members may call.') },
	calling_no_country: { text: () => t('Nobody can call yet: no country is allowed.'), advice: () => t('Set the home country.') },
	sign_in_not_set_up: { text: () => t('Other programs than Nextcloud’s own pages cannot sign in: no OAuth client is set up.'), advice: () => t('Needed only for such programs: add a client in Nextcloud beneath Administration settings, Security, OAuth 2.0 clients, and save its identifier and secret here.') },
	spending_unlimited: { text: () => t('Nothing limits what all calls together may cost: neither in a day nor in a month.'), advice: () => t('Enter rates, and set a limit for a day or for a month.') },
	backup_none: { text: () => t('There is no backup, and SIPCall’s data are on one volume only.'), advice: () => t('Make one with: occ sipcall:backup. Let a timer do so each night, and copy it elsewhere.') },
	backup_overdue: { text: (values) => t('The last backup is {days} days old, and SIPCall’s data are on one volume only.', values), advice: () => t('Make one with: occ sipcall:backup. Let a timer do so each night, and copy it elsewhere.') },
	backups_unread: { text: () => t('Nobody knows at the moment when the last backup was made.'), advice: () => t('Wait a moment. If it stays so, look at the volume.') },
	settings_ignored: { text: (values) => t('Settings in Nextcloud’s form mean nothing, so what counted before counts: {settings}.', values), advice: () => t('Correct them there, or on SIPCall’s own pages, which say what each may be.') },
	removed_users: { text: ({ reason = '' }) => String(reason), advice: () => t('Delete what is held of users who are gone with: occ sipcall:user:purge.') },
	locked_users: { text: (values) => t('Calling is locked after too many calls that are not allowed. Users: {count}.', values), advice: () => t('The list of users shows whom, and unlocks.') },
}

/** What the server says of a part or a step. */
export interface Found {
	code?: string | undefined
	text?: string | undefined
	advice?: string | undefined
	values?: Values | undefined
}

/** @return the sentences in the user's language, or as the server sent them */
export function findingWords({ code = '', text = '', advice, values = {} }: Found): { text: string, advice: string | undefined } {
	const words = WORDS[code]
	return words === undefined ? { text, advice } : { text: words.text(values), advice: words.advice?.() }
}
