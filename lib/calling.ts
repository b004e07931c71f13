// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// From the settings to the switch: what places calls, follows and controls them, put together.

import type { Base } from './base.ts'
import type { ExplainFailure } from './calls/trunk-provider.ts'
import type { SwitchConnection } from './policy/settings.ts'
import type { Releasers } from './startup.ts'
import type { Storage } from './storage.ts'

import { randomUUID } from 'node:crypto'
import { endpointsOf, settingsOfEnvironment } from './backing.ts'
import { CallControl } from './calls/call-control.ts'
import { CallFeed } from './calls/call-feed.ts'
import { CallService } from './calls/call-service.ts'
import { CallStream } from './calls/call-stream.ts'
import { CallTracker } from './calls/call-tracker.ts'
import { CarrierCosts } from './calls/carrier-costs.ts'
import { DeviceVerification } from './calls/device-verification.ts'
import { Explainer } from './calls/explain.ts'
import { GatewayWatch } from './calls/gateway-watch.ts'
import { Lockout } from './calls/lockout.ts'
import { UnreadableCalls } from './calls/unreadable-calls.ts'
import { startCarrier } from './carrier.ts'
import { startCdrs } from './cdrs.ts'
import { AppStateRepository } from './db/repositories/app-state-repository.ts'
import { CallRepository } from './db/repositories/call-repository.ts'
import { DeviceRepository } from './db/repositories/device-repository.ts'
import { PastCalls } from './db/repositories/past-calls.ts'
import { PreferencesRepository } from './db/repositories/preferences-repository.ts'
import { SettingsRepository } from './db/repositories/settings-repository.ts'
import { UserRuleRepository } from './db/repositories/user-rule-repository.ts'
import { VerificationRepository } from './db/repositories/verification-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { isDialTemplate, isDomain, isGatewayName } from './esl/dial-string.ts'
import { SwitchPool } from './esl/switch-pool.ts'
import { AppConfig } from './nextcloud/app-config.ts'
import { notifyOfEnds } from './nextcloud/call-notification.ts'
import { lockNotification } from './nextcloud/lock-notification.ts'
import { Notifications } from './nextcloud/notifications.ts'
import { PublicAddress } from './nextcloud/public-address.ts'
import { SettingsStore } from './policy/settings-store.ts'
import { isProviderKind } from './provider/index.ts'

/** For calls that were accepted and are not dialled yet: about as long as the row in which they wait. */
const TURNS_LIMIT_MS = 2_500

/** What places calls, follows and controls them. */
export type Calling = Awaited<ReturnType<typeof startCalling>>

export async function startCalling({ config, logger, clock, overrides, ocs, guards, users, progress, monitoring }: Base, { orm, keys, replicas, audit, readReplicas, counters: { limiter } }: Storage, releasers: Releasers) {
	const environment = settingsOfEnvironment(config)
	const explainFailure: ExplainFailure = (failure) => carrier.provider().explainFailure?.(failure)
	const callSwitch = new SwitchPool({ logger: logger.child({ component: 'esl' }), now: () => clock.now(), explainFailure, share: () => replicas.count, isHeard: (node) => replicas.isHeard(node), guards, ...overrides.esl })
	const settingRules = { isProviderKind, isDialTemplate, isGatewayName, isDomain }
	const settings = new SettingsStore({
		source: new AppConfig({ ocs }),
		copy: new SettingsRepository({ orm }),
		environment,
		settingRules,
		beforeTakeOver: audit.beforeTakeOver,
		now: () => clock.now(),
		logger: logger.child({ component: 'settings' }),
	})
	await settings.load()
	const state = new AppStateRepository({ orm })
	releasers.add('settings', () => settings.stopFollowing())
	if (await state.isEnabled()) {
		void settings.follow()
	}

	const devices = new DeviceRepository({ orm })
	const preferences = new PreferencesRepository({ orm })
	const unreadableCalls = new UnreadableCalls(logger.child({ component: 'db' }))
	const onUnreadable = (callUuid: string) => unreadableCalls.note(callUuid)
	const store = new CallRepository({ orm, keys, clock, onChange: (userId) => readReplicas.noteChange(userId), onUnreadable })
	const pastCalls = new PastCalls({ readReplicas, keys, clock, onUnreadable })
	const feed = new CallFeed()
	const publicAddress = new PublicAddress({ ocs, now: () => clock.now().getTime() })
	const notifications = new Notifications({ ocs, users, publicUrl: () => publicAddress.get(), logger: logger.child({ component: 'nextcloud' }) })
	const notify = notifyOfEnds({ preferences: (userId) => preferences.of(userId), send: (userId, notification) => notifications.send(userId, notification), logger: logger.child({ component: 'nextcloud' }) })
	const tracker = new CallTracker({
		onEnded: (call) => {
			monitoring.ended(call)
			notify(call)
		},
		onLateEnd: (notice) => cdrs.late(notice),
		store,
		feed,
		callSwitch,
		clock,
		logger: logger.child({ component: 'calls' }),
		spool: replicas.spool,
		isOurs: (node) => replicas.hearsEvents(node),
		isPassing: (error) => storageFault(error) !== undefined,
		...(overrides.sweepMs === undefined ? {} : { sweepMs: overrides.sweepMs }),
	})
	const cdrs = startCdrs({ store, tracker, monitoring, explainFailure, clock, logger: logger.child({ component: 'calls' }) })
	progress.report(90)
	await tracker.start()
	releasers.add('call tracker', () => tracker.stop())
	const gateways = new GatewayWatch({ nodes: () => callSwitch.nodes, gateways: () => settings.get().gateways, logger: logger.child({ component: 'calls' }) })
	callSwitch.listen({
		onNotice: (notice) => tracker.notice(notice),
		onGateway: (name, isUp, node) => gateways.tell(name, isUp, node),
		onChange: (node) => replicas.noteChange(node),
		onLag: (seconds) => monitoring.lagged(seconds),
		onReady: (node) => {
			monitoring.reconciled()
			void tracker.reconcile()
			void gateways.begin(node)
		},
	})
	const connectSwitches = (connection: SwitchConnection) => {
		callSwitch.connectTo(endpointsOf(connection, environment, config))
		replicas.share(callSwitch.nodes)
	}
	replicas.listen({ tracker, settings, state, readReplicas })
	connectSwitches(settings.get().freeswitch)
	const carrier = startCarrier(settings.get().provider, { guards, clock, logger })
	settings.onChange(({ freeswitch, provider }) => {
		carrier.take(provider)
		void gateways.ask()
		connectSwitches(freeswitch)
	})
	releasers.add('switch', () => callSwitch.stop())
	if (!callSwitch.isSetUp) {
		logger.warn('No FreeSWITCH is set up: no phone can ring')
	}
	const userRules = new UserRuleRepository({ orm })
	const lockout = new Lockout({
		onRefused: audit.onRefused,
		limiter,
		settings: () => settings.get(),
		lock: (...args) => userRules.lock(...args),
		onLocked: (userId, until) => {
			audit.onLocked(userId, until)
			users.knownAdmins().forEach((adminId) => void notifications.send(adminId, lockNotification(userId)))
		},
		clock,
		logger: logger.child({ component: 'calls' }),
	})
	lockout.take(await userRules.locked(clock.now()))
	const calls = new CallService({
		isAlone: () => replicas.count <= 1,
		lockout,
		store,
		tracker,
		feed,
		callSwitch,
		gateways,
		limiter,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		awaitsCost: carrier.hasCosts,
		carrierCountries: carrier.countries,
		clock,
		newUuid: randomUUID,
		counters: monitoring,
		logger: logger.child({ component: 'calls' }),
	})
	releasers.add('calls that wait for their turn', () => calls.settled(TURNS_LIMIT_MS))
	const verifications = new VerificationRepository({ orm })
	const verification = new DeviceVerification({
		lockout,
		store: verifications,
		calls: store,
		codeCaller: callSwitch,
		gateways,
		limiter,
		onVerified: audit.onVerified,
		settings: () => settings.get(),
		devices: (userId) => devices.of(userId),
		blindIndex: (purpose, value) => keys.blindIndex(purpose, value),
		carrierCountries: carrier.countries,
		clock,
		newUuid: randomUUID,
		logger: logger.child({ component: 'calls' }),
	})
	const costs = new CarrierCosts({
		store,
		provider: carrier.provider,
		tell: (call, before) => {
			monitoring.priced(call, before)
			tracker.take(call)
		},
		clock,
		logger: logger.child({ component: 'calls' }),
	})
	const control = new CallControl({ lockout, calls, store, tracker, callSwitch, gateways, limiter, settings: () => settings.get(), carrierCountries: carrier.countries, clock, newUuid: randomUUID, ...(overrides.settleMs === undefined ? {} : { settleMs: overrides.settleMs }) })
	const stream = new CallStream({ store, feed, clock, ...(overrides.pingMs === undefined ? {} : { pingMs: overrides.pingMs }) })
	const explainer = new Explainer({ store, gateways, limiter, devices: (userId) => devices.of(userId), carrierCountries: carrier.countries, clock })
	return { environment, settingRules, settings, state, devices, preferences, userRules, unreadableCalls, store, pastCalls, publicAddress, tracker, cdrs, callSwitch, gateways, carrier, lockout, calls, control, stream, explainer, verifications, verification, costs }
}
