// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How series look: Nextcloud's colours as they are now, and a hatch of their own for whoever sees no difference between colours.

import type { Look } from '../services/day-chart.ts'

type Hatch = 'solid' | 'rising' | 'falling' | 'dots' | 'crossed' | 'level'

const LOOKS: Readonly<Record<Look, { color: string, hatch: Hatch }>> = {
	answered: { color: 'var(--color-element-success, var(--color-success))', hatch: 'solid' },
	not_reached: { color: 'var(--color-element-warning, var(--color-warning))', hatch: 'rising' },
	cancelled: { color: 'var(--color-text-maxcontrast)', hatch: 'dots' },
	failed: { color: 'var(--color-element-error, var(--color-error))', hatch: 'crossed' },
	blocked: { color: 'var(--color-main-text)', hatch: 'level' },
	talk: { color: 'var(--color-primary-element)', hatch: 'solid' },
	cost: { color: 'var(--color-primary-element)', hatch: 'solid' },
	pending: { color: 'var(--color-primary-element)', hatch: 'falling' },
	rate: { color: 'var(--color-primary-element)', hatch: 'solid' },
}

export interface Theme {
	/** Of the axes' words, the grid, and what lies beneath. */
	text: string
	grid: string
	background: string
	font: string
	isRtl: boolean
	color: (look: Look) => string
}

/** @param place where the chart stands: themes may differ from part to part of a page */
export function readTheme(place: HTMLElement): Theme {
	const probe = document.createElement('span')
	probe.hidden = true
	place.append(probe)
	const { fontFamily, direction } = getComputedStyle(place)
	const valueOf = (color: string) => {
		probe.style.color = color
		return getComputedStyle(probe).color
	}
	const colors = new Map((Object.keys(LOOKS) as Look[]).map((look) => [look, valueOf(LOOKS[look].color)]))
	const theme = {
		text: valueOf('var(--color-main-text)'),
		grid: valueOf('var(--color-border-dark)'),
		background: valueOf('var(--color-main-background)'),
		font: fontFamily,
		isRtl: direction === 'rtl',
		color: (look: Look) => colors.get(look) ?? '',
	}
	probe.remove()
	return theme
}

const TILE = 8

/** What a bar is filled with. */
export function fillOf(look: Look, theme: Theme): string | CanvasPattern {
	const color = theme.color(look)
	const { hatch } = LOOKS[look]
	const tile = document.createElement('canvas')
	tile.width = TILE
	tile.height = TILE
	const context = tile.getContext('2d')
	if (hatch === 'solid' || context === null) {
		return color
	}
	context.fillStyle = theme.background
	context.fillRect(0, 0, TILE, TILE)
	context.strokeStyle = color
	context.fillStyle = color
	context.lineWidth = 2
	const line = (fromX: number, fromY: number, toX: number, toY: number) => {
		context.moveTo(fromX, fromY)
		context.lineTo(toX, toY)
	}
	context.beginPath()
	if (hatch === 'rising' || hatch === 'crossed') {
		// Beyond the corners, so that tiles join without a seam.
		line(-2, 2, 2, -2)
		line(0, TILE, TILE, 0)
		line(TILE - 2, TILE + 2, TILE + 2, TILE - 2)
	}
	if (hatch === 'falling' || hatch === 'crossed') {
		line(TILE - 2, -2, TILE + 2, 2)
		line(0, 0, TILE, TILE)
		line(-2, TILE - 2, 2, TILE + 2)
	}
	if (hatch === 'level') {
		line(0, 2, TILE, 2)
		line(0, 6, TILE, 6)
	}
	context.stroke()
	if (hatch === 'dots') {
		context.fillRect(0, 0, 3, 3)
		context.fillRect(4, 4, 3, 3)
	}
	return context.createPattern(tile, 'repeat') ?? color
}
