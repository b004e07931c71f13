// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The texts and header groups that were taken from recordings of a real switch, read once. */

import { readFileSync } from 'node:fs'

function text(name: string): string {
	return readFileSync(new URL(`./templates/${name}`, import.meta.url), 'utf8')
}

function table<Shape>(name: string): Shape {
	return JSON.parse(text(name)) as Shape
}

/** Channel variables by the moment at which the switch sets them. */
export const VARIABLES = table<Record<'create.a' | 'create.b' | 'endpoint.a' | 'endpoint.b' | 'progress' | 'answer' | 'rtp', Record<string, string>>>('variables.json')

/** Headers of a channel event in wire order, with the values of a recorded call. */
export const HEADERS = table<{ channel: Record<string, string>, caller: Record<string, string>, otherLeg: string[] }>('headers.json')

/** `Event-Calling-File`, `-Function`, `-Line-Number` of each event. */
export const SOURCES = table<Record<string, Record<string, string>>>('sources.json')

export const HEARTBEAT = table<Record<string, string>>('heartbeat.json')

export const STATUS_TEXT = text('status.txt')
export const GATEWAY_TEXT = text('gateway.txt')
export const GATEWAY_XML = text('gateway.xml')

/** Fills `{name}` places. A place without a value is left empty. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
	return template.replace(/\{(\w+)\}/g, (_place, name: string) => values[name] ?? '')
}
