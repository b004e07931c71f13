// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One FreeSWITCH as the domain sees it: a connection for commands, one for events, and our words instead of its own.
// Which of several it is that dials is switch-pool.ts's affair.

import type { LegReport } from '../calls/call-events.ts'
import type { CodeCallPlan } from '../calls/device-verification.ts'
import type { CommandResult, OriginatePlan, SwitchNotice, TransferPlan } from '../calls/ports.ts'
import type { GatewayCondition, SwitchFault, SwitchInquiry } from '../calls/switch-inquiry.ts'
import type { TestCallPlan } from '../calls/test-calls.ts'
import type { ExplainFailure } from '../calls/trunk-provider.ts'
import type { Guard } from '../guard.ts'
import type { Logger } from '../logger.ts'
import type { EslConnection, EslEndpoint } from './esl-connection.ts'
import type { WireEvent } from './wire-event.ts'

import { OriginateRefused } from '../calls/ports.ts'
import { GuardRefusal, Guards } from '../guard.ts'
import { digitsCommand, holdCommand, killCommand, transferCommand } from './call-commands.ts'
import { codeCallCommand } from './code-call.ts'
import { originateCommand } from './dial-string.ts'
import { EslError } from './esl-error.ts'
import { EslLink } from './esl-link.ts'
import { EventLag } from './event-lag.ts'
import { GATEWAY_SUBCLASS, parseChannelDump, parseEvent, parseJobFailure, SUBSCRIPTION } from './event-parser.ts'
import { causeOf } from './hangup-causes.ts'
import { askDenied, askGateway, askStatus, askVersion, switchFaultOf } from './inquiry.ts'
import { NodeLoad } from './node-load.ts'
import { testCallCommand } from './test-call.ts'
import { checked } from './whitelist.ts'

export interface FreeSwitchOptions {
	logger: Logger
	now: () => Date
	/** What the company behind the trunk means by a refusal. */
	explainFailure?: ExplainFailure | undefined
	guards?: Guards
	/** Whether some server of SIPCall hears the events of a node; left out, this one does, or nobody needs to. */
	isHeard?: (node: string) => boolean
	/** For tests: shorter times than a network needs. */
	silenceMs?: number
	commandTimeoutMs?: number
}

export interface SwitchListeners {
	onNotice: (notice: SwitchNotice) => void
	/** The connections to this node are there (again): what happened meanwhile must be asked for. */
	onReady?: (node: string) => void
	/** A gateway went down or came up. */
	onGateway?: (name: string, isUp: boolean, node: string) => void
	/** Whether the node can be reached, or its events are heard here, is another than before. */
	onChange?: (node: string) => void
	/** An event came so many seconds later than the quickest ones do. */
	onLag?: (seconds: number) => void
}

/** To take a leg back the switch waits until its music has stopped, for up to 5 s (`switch_ivr_unhold`). */
const CONTROL_TIMEOUT_MS = 10_000
/** A question waits behind whatever is under way, and one that is given up ends the connection: nobody may lose a call by it. */
const INQUIRY_TIMEOUT_MS = 30_000

/** Each adds what is subscribed already. */
const EVENTS_PROBE = 'event json BACKGROUND_JOB'
const COMMANDS_PROBE = 'event json HEARTBEAT SHUTDOWN'

/** The two connections to one switch. */
interface Links {
	endpoint: EslEndpoint
	commands: EslLink
	/** undefined while somebody else listens to this node. */
	events: EslLink | undefined
}

/**
 * Three questions in a row without an answer, and for five seconds no call is placed there; then it is asked how busy it is.
 * On one connection each waits behind those before it: more than a few seconds' worth never get their turn in time.
 */
const GUARD = {
	part: 'freeswitch',
	isFault: (error: unknown) => error instanceof EslError && ['timeout', 'connection_lost'].includes(error.code),
	breakAfter: 3,
	breakMs: 5_000,
	atOnce: 500,
} as const

/** As often as FreeSWITCH sends a HEARTBEAT, unless it was told otherwise. */
const ASK_LOAD_MS = 20_000

/** Of event_socket.conf.xml as it is delivered. */
const STOCK_PASSWORD = 'ClueCon'

/** `host:port`; of IPv6 addresses as in a URL. */
export function nodeNameOf({ host, port }: Pick<EslEndpoint, 'host' | 'port'>): string {
	return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

export class FreeSwitch implements SwitchInquiry {
	readonly #lag = new EventLag()
	#denied: { by: EslConnection, commands: Promise<readonly string[]> } | undefined
	readonly #options: FreeSwitchOptions
	#links: Links | undefined
	/** Of what may wait or go to another node: a hang-up is always tried. */
	#guard: Guard | undefined
	#isConsuming = true
	readonly #listeners: SwitchListeners[] = []
	/** FreeSWITCH's `Core-UUID`: another one means that it was restarted. */
	#coreUuid: string | undefined
	#load = new NodeLoad()
	#asking: NodeJS.Timeout | undefined
	#refreshing: Promise<void> | undefined
	/** Since when no command can be written; undefined while one can. */
	#awaySince: number | undefined = performance.now()
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
			this.#guard = (this.#options.guards ?? new Guards()).add({ ...GUARD, name: nodeNameOf(endpoint) })
			this.#links = { endpoint, commands: this.#openCommands(endpoint), events: this.#isConsuming ? this.#openEvents(endpoint) : undefined }
			this.#links.commands.start()
			this.#asking = setInterval(() => this.refreshLoad(), ASK_LOAD_MS).unref()
		}
	}

	/** From which this machine is connected; undefined while it is not. */
	get localAddress(): string | undefined {
		return this.#links?.commands.connection?.localAddress
	}

	get endpoint(): EslEndpoint | undefined {
		return this.#links?.endpoint
	}

	/** `host:port`; empty while none is set up. */
	get name(): string {
		return this.#links === undefined ? '' : nodeNameOf(this.#links.endpoint)
	}

	/**
	 * Takes this node's events, or leaves them to somebody else: of several servers one does. Without them it is ready as
	 * soon as commands can be written.
	 */
	consume(isWanted: boolean): void {
		this.#isConsuming = isWanted
		const links = this.#links
		if (links === undefined || isWanted === (links.events !== undefined)) {
			return
		}
		links.events?.stop()
		links.events = isWanted ? this.#openEvents(links.endpoint) : undefined
		links.events?.start()
		this.#changed()
	}

	#changed(): void {
		this.#listeners.forEach(({ onChange }) => onChange?.(this.name))
	}

	/** Told on every server: how busy the node is, and what becomes of its gateways. */
	#openCommands(endpoint: EslEndpoint): EslLink {
		const { logger } = this.#options
		return new EslLink({
			...this.#common(endpoint),
			logger: logger.child({ connection: 'commands' }),
			probe: COMMANDS_PROBE,
			prepare: async (connection) => {
				this.#load = new NodeLoad(this.#load.told)
				const ask = async (line: string) => (await connection.command(line, undefined, INQUIRY_TIMEOUT_MS)).text
				const answers = await Promise.all([ask(COMMANDS_PROBE), ask(`event json CUSTOM ${GATEWAY_SUBCLASS}`)])
				this.#isStopping = false
				if (answers[0]?.startsWith('+OK') !== true) {
					logger.warn('FreeSWITCH does not let its Event Socket user hear its HEARTBEAT: how busy it is, is asked for now and then')
				}
				if (answers[1]?.startsWith('+OK') !== true) {
					logger.warn('FreeSWITCH does not let its Event Socket user hear of its gateways: they are asked for now and then', { event: GATEWAY_SUBCLASS })
				}
				this.#load.tell(await askStatus(ask))
			},
			onEvent: (event) => this.#event(event),
			onDown: () => {
				this.#awaySince ??= performance.now()
				this.#changed()
			},
		})
	}

	#openEvents(endpoint: EslEndpoint): EslLink {
		return new EslLink({
			...this.#common(endpoint),
			logger: this.#options.logger.child({ connection: 'events' }),
			probe: EVENTS_PROBE,
			// One of the two finds out whether the switch takes us: with a wrong password both would try, twice a minute.
			mayTry: () => this.#links?.commands.connection !== undefined,
			prepare: async (connection) => {
				const { text } = await connection.command(`event json ${SUBSCRIPTION.join(' ')}`)
				if (!text.startsWith('+OK')) {
					throw new EslError('refused', 'FreeSWITCH refused the subscription to its events')
				}
			},
			onEvent: (event) => this.#event(event),
			onDown: () => this.#changed(),
		})
	}

	#common(endpoint: EslEndpoint) {
		const { silenceMs, commandTimeoutMs } = this.#options
		return {
			endpoint,
			onUp: () => this.#up(),
			...(silenceMs === undefined ? {} : { silenceMs }),
			...(commandTimeoutMs === undefined ? {} : { commandTimeoutMs }),
		}
	}

	stop(): void {
		clearInterval(this.#asking)
		this.#options.guards?.remove({ part: 'freeswitch', name: this.name })
		this.#links?.commands.stop()
		this.#links?.events?.stop()
		this.#links = undefined
		this.#isStopping = false
	}

	/** An originate whose events nobody hears would be a call that nobody can end: who takes the events needs both connections. */
	isReady(): boolean {
		const links = this.#links
		return !this.#isStopping && links?.commands.connection !== undefined && (links.events === undefined || links.events.connection !== undefined)
	}

	/** Since when it can be asked, in monotonic milliseconds; undefined while it cannot. */
	get reachedSince(): number | undefined {
		return this.#links?.commands.upSince
	}

	/** Whether its events come in here. */
	get isHearing(): boolean {
		return this.#links?.events !== undefined && this.isReady()
	}

	/** Whether calls may be placed there: it is ready, and somebody will hear what becomes of them. */
	isServing(): boolean {
		return this.isReady() && (this.#options.isHeard?.(this.name) ?? true)
	}

	/** Why the switch is not ready, for health and for people. */
	get lastError(): EslError | undefined {
		return this.#links?.commands.lastError ?? this.#links?.events?.lastError
	}

	/** How busy the node is, as it said last. */
	get load(): NodeLoad {
		return this.#load
	}

	/** The latest that an event came within the last minute, in seconds. */
	get eventLagSec(): number {
		return this.#lag.latestSec
	}

	get hasStockPassword(): boolean {
		const { endpoint } = this.#links ?? {}
		return endpoint?.user === undefined && endpoint?.password === STOCK_PASSWORD
	}

	/** For how many milliseconds no command could be written. */
	get awayMs(): number {
		return this.#awaySince === undefined ? 0 : performance.now() - this.#awaySince
	}

	/** Whether it takes calls, were it not for its gateways and its limits. */
	isAlive(): boolean {
		const { isAccepting, isFresh } = this.#load
		return this.isServing() && this.#guard?.isClosed !== false && isAccepting !== false && isFresh
	}

	/** Asks how busy it is, once at a time. What is not answered stays as it was; never rejects. */
	refreshLoad(): Promise<void> {
		if (this.#links?.commands.connection === undefined) {
			return Promise.resolve()
		}
		this.#refreshing ??= this.#guarded(() => askStatus((line) => this.#command(line, undefined, INQUIRY_TIMEOUT_MS)))
			.then((status) => this.#load.tell(status))
			.catch((error: unknown) => {
				this.#options.logger.debug('FreeSWITCH could not be asked how busy it is', { error })
			})
			.finally(() => {
				this.#refreshing = undefined
			})
		return this.#refreshing
	}

	/** Why the switch is not ready, in the domain's words. */
	fault(): SwitchFault | undefined {
		const fault = this.lastError === undefined ? undefined : switchFaultOf(this.lastError)
		// Who takes a connection and says nothing is no Event Socket; one that was known before hangs.
		return fault === 'no_event_socket' && this.#load.told > 0 ? 'no_answer' : fault
	}

	async denied(): Promise<readonly string[]> {
		const by = this.#links?.commands.connection
		if (by === undefined) {
			return []
		}
		if (this.#denied?.by !== by) {
			this.#denied = { by, commands: askDenied((line) => this.#command(line, undefined, INQUIRY_TIMEOUT_MS)) }
		}
		const { commands } = this.#denied
		try {
			return await commands
		} catch (error) {
			this.#denied = undefined
			throw error
		}
	}

	version(): Promise<string | undefined> {
		return askVersion((line) => this.#command(line, undefined, INQUIRY_TIMEOUT_MS))
	}

	gateway(name: string): Promise<GatewayCondition> {
		return askGateway((line) => this.#command(line, undefined, INQUIRY_TIMEOUT_MS), name)
	}

	async hearsEvents(): Promise<void> {
		await this.#links?.events?.command(EVENTS_PROBE, undefined, INQUIRY_TIMEOUT_MS)
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
			// Whether it answers again is asked by something harmless.
			if (this.#guard?.isClosed === false) {
				throw leftAlone()
			}
			reply = await this.#guarded(() => this.#command(line, headers))
		} catch (error) {
			if (error instanceof EslError && !error.mayHaveArrived) {
				throw error.code === 'unsafe_command'
					? new OriginateRefused({ cause: causeOf('INVALID_URL'), verdict: 'misconfigured' }, { cause: error })
					: new OriginateRefused({ cause: causeOf('NETWORK_OUT_OF_ORDER'), verdict: 'not_dialled' }, { cause: error, mayGoElsewhere: true })
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
		return { ...parseChannelDump(dump, legUuid, this.#options.now()) ?? { type: 'leg', legUuid, at: this.#options.now() }, node: this.name }
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

	/** @throws {EslError} `not_connected` when the node is left alone */
	async #guarded<Value>(ask: () => Promise<Value>): Promise<Value> {
		try {
			return await (this.#guard?.execute(ask) ?? ask())
		} catch (error) {
			throw error instanceof GuardRefusal ? leftAlone(error) : error
		}
	}

	#command(line: string, headers?: Readonly<Record<string, string>>, timeoutMs?: number): Promise<string> {
		if (this.#links === undefined) {
			throw new EslError('not_connected', 'No FreeSWITCH is set up')
		}
		return this.#links.commands.command(line, headers, timeoutMs)
	}

	#up(): void {
		if (this.#links?.commands.connection !== undefined) {
			this.#awaySince = undefined
		}
		this.#changed()
		this.#links?.events?.start()
		if (this.isReady()) {
			this.#listeners.forEach(({ onReady }) => onReady?.(this.name))
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
				this.#tell({ ...event, report: { ...event.report, node: this.name } })
				break
			case 'job':
				this.#tell({ type: 'job', jobUuid: event.jobUuid, at: event.at, failure: parseJobFailure(event.text) })
				break
			case 'heartbeat':
				if (this.#coreUuid !== undefined && this.#coreUuid !== event.coreUuid) {
					this.#options.logger.warn('FreeSWITCH was restarted')
				}
				this.#coreUuid = event.coreUuid
				this.#load.beat(event, Number(wire['Event-Date-Timestamp']) / 1000 - now.getTime())
				break
			case 'gateway':
				this.#listeners.forEach(({ onGateway }) => onGateway?.(event.name, event.isUp, this.name))
				break
			case 'shutdown':
				this.#isStopping = true
				this.#options.logger.warn('FreeSWITCH is shutting down')
				this.#changed()
		}
	}
}

function leftAlone(cause?: unknown): EslError {
	return new EslError('not_connected', 'FreeSWITCH has not answered several times and is left alone for a moment', { cause })
}
