// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is told of a leg -> what it makes of the call: also of a leg that we have not chosen, and by a clock that is not ours.

import type { CallChange, LegReport } from './call-events.ts'
import type { Transition } from './call-state.ts'
import type { Call, LegRole } from './call.ts'

import { transition } from './call-state.ts'
import { withLeg } from './call.ts'

/** What is told of one leg. */
export interface LegRecord {
	report: LegReport
	role?: LegRole
}

/** Pure, as `transition`. */
export function applyNotice(call: Call, { report, role }: LegRecord): Transition {
	return transition(role === undefined ? call : withLeg(call, report.legUuid, role), report)
}

/** The same for an end that is told late, or once more: its times are brought between what is known of the leg. */
export function applyRecord(call: Call, { report, role }: LegRecord): Transition {
	// A leg that nobody has heard of changes a call that is over only where it may be the one that is missed.
	const isMissed = role !== undefined && (call.status !== 'ended' || call.legs.some((leg) => leg.role === role && leg.end === undefined))
	return applyNotice(call, { report: bounded(call, report), ...(isMissed ? { role } : {}) })
}

/** Whatever has happened to a call. */
export function applyChange(call: Call, { event, role, isRecord }: Omit<CallChange, 'callUuid'>): Transition {
	if (event.type !== 'leg') {
		return transition(call, event)
	}
	return (isRecord === true ? applyRecord : applyNotice)(call, { report: event, ...(role === undefined ? {} : { role }) })
}

/** The switch's clock may be wrong by hours: then its times count from each other alone. */
function bounded(call: Call, report: LegReport): LegReport {
	const leg = call.legs.find(({ uuid }) => uuid === report.legUuid)
	const told = (report.endedAt ?? report.at).getTime()
	const latest = Math.min(report.at.getTime(), (leg?.goneAt ?? call.endedAt)?.getTime() ?? Infinity)
	const earliest = Math.max(call.createdAt.getTime(), ...[leg?.createdAt, leg?.ringingAt, leg?.answeredAt].map((time) => time?.getTime() ?? 0))
	const shiftMs = Math.max(earliest, Math.min(told, latest)) - told
	const moved = (time: Date) => new Date(Math.max(call.createdAt.getTime(), time.getTime() + shiftMs))
	return {
		...report,
		endedAt: moved(new Date(told)),
		...(report.createdAt === undefined ? {} : { createdAt: moved(report.createdAt) }),
		...(report.ringingAt === undefined ? {} : { ringingAt: moved(report.ringingAt) }),
		...(report.answeredAt === undefined ? {} : { answeredAt: moved(report.answeredAt) }),
	}
}
