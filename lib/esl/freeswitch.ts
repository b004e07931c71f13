// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One FreeSWITCH as the domain sees it: a connection for commands, one for events, and our words instead of its own.

import type { LegReport } from '../calls/call-events.ts'
import type { CodeCaller, CodeCallPlan } from '../calls/device-verification.ts'
import type { CallSwitch, CommandResult, OriginatePlan, SwitchNotice, TransferPlan } from '../calls/ports.ts'
import type { GatewayCondition, SwitchFault, SwitchInquiry } from '../calls/switch-inquiry.ts'
import type { TestCaller, TestCallPlan } from '../calls/test-calls.ts'
import type { ExplainFailure } from '../calls/trunk-provider.ts'
import type { Logger } from '../logger.ts'
import type { EslEndpoint } from './esl-connection.ts'
import type { WireEvent } from './wire-event.ts'

import { OriginateRefused } from '../calls/ports.ts'
import { digitsCommand, holdCommand, killCommand, transferCommand } from './call-commands.ts'
import { codeCallCommand } from './code-call.ts'
import { originateCommand } from './dial-string.ts'
import { EslError } from './esl-error.ts'
import { EslLink } from './esl-link.ts'
import { EventLag } from './event-lag.ts'
import { GATEWAY_SUBCLASS, parseChannelDump, parseEvent, parseJobFailure, SUBSCRIPTION } from './event-parser.ts'
import { causeOf } from './hangup-causes.ts'
import { askGateway, askVersion, switchFaultOf } from './inquiry.ts'
import { testCallCommand } from './test-call.ts'
import { checked } from './whitelist.ts'

export interface FreeSwitchOptions {
	logger: Logger
	now: () => Date
	/** What the company behind the trunk means by a refusal. */
	explainFailure?: ExplainFailure
	/** For tests: shorter times than a network needs. */
	silenceMs?: number
	commandTimeoutMs?: number
}

export interface SwitchListeners {
	onNotice: (notice: SwitchNotice) => void
	/** Both connections are there (again): what happened meanwhile must be asked for. */
	onReady?: () => void
	/** A gateway went down or came up. */
	onGateway?: (name: string, isUp: boolean) => void
	/** An event came so many seconds later than the quickest ones do. */
	onLag?: (seconds: number) => void
}

/** To take a leg back the switch waits until its music has stopped, for up to 5 s (`switch_ivr_unhold`). */
const CONTROL_TIMEOUT_MS = 10_000
/** A question waits behind whatever is under way, and one that is given up ends the connection: nobody may lose a call by it. */
const INQUIRY_TIMEOUT_MS = 30_000

/** Adds what is subscribed already. */
const EVENTS_PROBE = 'event json HEARTBEAT'

/** The two connections to one switch. */
interface Links {
	commands: EslLink
	events: EslLink
}

export class FreeSwitch implements CallSwitch, CodeCaller, SwitchInquiry, TestCaller {
	readonly #lag = new EventLag()
	readonly #options: FreeSwitchOptions
	#links: Links | undefined
	readonly #listeners: SwitchListeners[] = []
	/** FreeSWITCH's `Core-UUID`: another one means that it was restarted. */
	#coreUuid: string | undefined
	/** It has said that it shuts down, and the line is still open. */
	#isStopping = false

	constructor(options: FreeSwitchOptions) {
		this.#options = options
	}

	/** Adds somebody who is told; what came before is not repeated. */
	listen(listeners: SwitchListeners): void {
		this.#listeners.push(listeners)
	}

	/**
	 * Leaves the switch it was connected to, and goes to another one.
	 *
	 * @param endpoint undefined = none is set up
	 */
	connectTo(endpoint: EslEndpoint | undefined): void {
		this.stop()
		if (endpoint !== undefined) {
			this.#links = this.#open(endpoint)
			this.#links.events.start()
		}
	}

	#open(endpoint: EslEndpoint): Links {
		const options = this.#options
		const common = {
			endpoint,
			onUp: () => this.#up(),
			...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
			...(options.commandTimeoutMs === undefined ? {} : { commandTimeoutMs: options.commandTimeoutMs }),
		}
		const events = new EslLink({
			...common,
			onUp: () => {
				this.#isStopping = false
				this.#up()
			},
			logger: options.logger.child({ connection: 'events' }),
			probe: EVENTS_PROBE,
			prepare: async (connection) => {
				const { text } = await connection.command(`event json ${SUBSCRIPTION.join(' ')}`)
				if (!text.startsWith('+OK')) {
					throw new EslError('refused', 'FreeSWITCH refused the subscription to its events')
				}
				const { text: ofGateways } = await connection.command(`event json CUSTOM ${GATEWAY_SUBCLASS}`)
				if (!ofGateways.startsWith('+OK')) {
					options.logger.warn('FreeSWITCH does not let its Event Socket user hear of its gateways: they are asked for now and then', { event: GATEWAY_SUBCLASS })
				}
			},
			onEvent: (event) => this.#event(event),
		})
		const commands = new EslLink({
			...common,
			logger: options.logger.child({ connection: 'commands' }),
			// Changes nothing here: this connection subscribes to nothing.
			probe: 'noevents',
			// One of the two finds out whether the switch takes us: with a wrong password both would try, twice a minute.
			mayTry: () => events.connection !== undefined,
		})
		return { commands, events }
	}

	stop(): void {
		this.#links?.commands.stop()
		this.#links?.events.stop()
		this.#links = undefined
		this.#isStopping = false
	}

	/** Whether there is a switch to connect to at all. */
	get isSetUp(): boolean {
		return this.#links !== undefined
	}

	/** An originate whose events nobody hears would be a call that nobody can end: both connections are needed. */
	isReady(): boolean {
		return !this.#isStopping && this.#links?.commands.connection !== undefined && this.#links.events.connection !== undefined
	}

	/** Why the switch is not ready, for health and for people. */
	get lastError(): EslError | undefined {
		return this.#links?.events.lastError ?? this.#links?.commands.lastError
	}

	/** Why the switch is not ready, in the domain's words. */
	fault(): SwitchFault | undefined {
		return this.lastError === undefined ? undefined : switchFaultOf(this.lastError)
	}

	version(): Promise<string | undefined> {
		return askVersion((line) => this.#command(line, undefined, INQUIRY_TIMEOUT_MS))
	}

	gateway(name: string): Promise<GatewayCondition> {
		return askGateway((line) => this.#command(line, undefined, INQUIRY_TIMEOUT_MS), name)
	}

	async hearsEvents(): Promise<void> {
		await this.#links?.events.command(EVENTS_PROBE, undefined, INQUIRY_TIMEOUT_MS)
	}

	async originate(plan: OriginatePlan): Promise<void> {
		await this.#originate(() => originateCommand(plan), { callUuid: plan.callUuid })
	}

	async callWithCode(plan: CodeCallPlan): Promise<void> {
		await this.#originate(() => codeCallCommand(plan), { legUuid: plan.legUuid })
	}

	async callForTest(plan: TestCallPlan): Promise<void> {
		await this.#originate(() => testCallCommand(plan), { legUuid: plan.legUuid })
	}

	/** @param name what the log may call it; the line itself is a secret */
	async #originate(build: () => { line: string, headers: { 'Job-UUID': string } }, name: Readonly<Record<string, string>>): Promise<void> {
		let reply: string
		try {
			const { line, headers } = build()
			if (this.#isStopping) {
				throw new EslError('not_connected', 'FreeSWITCH is shutting down')
			}
			reply = await this.#command(line, headers)
		} catch (error) {
			if (error instanceof EslError && !error.mayHaveArrived) {
				const verdict = error.code === 'unsafe_command' ? 'misconfigured' : 'switch_stopped'
				throw new OriginateRefused({ cause: causeOf(verdict === 'misconfigured' ? 'INVALID_URL' : 'NETWORK_OUT_OF_ORDER'), verdict }, { cause: error })
			}
			throw error
		}
		if (!reply.startsWith('+OK')) {
			this.#options.logger.error('FreeSWITCH refused to take an originate: the Event Socket user may lack the right to it', { ...name, reply })
			throw new OriginateRefused({ cause: causeOf('FACILITY_REJECTED'), verdict: 'misconfigured' })
		}
	}

	async kill(legUuid: string): Promise<void> {
		await this.#command(killCommand(legUuid))
	}

	async hold(legUuid: string, isHeld: boolean): Promise<CommandResult> {
		return this.#control(holdCommand(legUuid, isHeld))
	}

	async sendDigits(legUuid: string, digits: string): Promise<CommandResult> {
		return this.#control(digitsCommand(legUuid, digits))
	}

	async transfer(legUuid: string, plan: TransferPlan): Promise<CommandResult> {
		return this.#control(transferCommand(legUuid, plan))
	}

	async look(legUuid: string): Promise<LegReport | undefined> {
		const exists = (await this.#command(`api uuid_exists ${checked('channel', legUuid)}`)).trim()
		if (exists === 'false') {
			return undefined
		}
		if (exists !== 'true') {
			throw new EslError('refused', 'FreeSWITCH did not tell whether a channel exists')
		}
		const dump = await this.#command(`api uuid_dump ${legUuid} json`)
		// It may have ended between the two questions: then the next one tells.
		return parseChannelDump(dump, legUuid, this.#options.now()) ?? { type: 'leg', legUuid, at: this.#options.now() }
	}

	/** Written once: what it changes is heard of by events, and a repetition would do it twice. */
	async #control(line: string): Promise<CommandResult> {
		try {
			const reply = await this.#command(line, undefined, this.#options.commandTimeoutMs ?? CONTROL_TIMEOUT_MS)
			return reply.startsWith('+OK') ? 'done' : 'refused'
		} catch (error) {
			if (!(error instanceof EslError) || error.code === 'unsafe_command') {
				throw error
			}
			this.#options.logger.warn('A command on a call was not confirmed', { error })
			return error.mayHaveArrived ? 'unknown' : 'not_written'
		}
	}

	#command(line: string, headers?: Readonly<Record<string, string>>, timeoutMs?: number): Promise<string> {
		if (this.#links === undefined) {
			throw new EslError('not_connected', 'No FreeSWITCH is set up')
		}
		return this.#links.commands.command(line, headers, timeoutMs)
	}

	#up(): void {
		this.#links?.commands.start()
		if (this.isReady()) {
			this.#listeners.forEach(({ onReady }) => onReady?.())
		}
	}

	#tell(notice: SwitchNotice): void {
		this.#listeners.forEach(({ onNotice }) => onNotice(notice))
	}

	#event(wire: WireEvent): void {
		const now = this.#options.now()
		const lag = this.#lag.of(wire['Event-Date-Timestamp'], now)
		if (lag !== undefined) {
			this.#listeners.forEach(({ onLag }) => onLag?.(lag))
		}
		const event = parseEvent(wire, now, this.#options.explainFailure)
		switch (event?.type) {
			case 'leg':
				this.#tell(event)
				break
			case 'job':
				this.#tell({ type: 'job', jobUuid: event.jobUuid, at: event.at, failure: parseJobFailure(event.text) })
				break
			case 'heartbeat':
				if (this.#coreUuid !== undefined && this.#coreUuid !== event.coreUuid) {
					this.#options.logger.warn('FreeSWITCH was restarted')
				}
				this.#coreUuid = event.coreUuid
				break
			case 'gateway':
				this.#listeners.forEach(({ onGateway }) => onGateway?.(event.name, event.isUp))
				break
			case 'shutdown':
				this.#isStopping = true
				this.#options.logger.warn('FreeSWITCH is shutting down')
		}
	}
}
