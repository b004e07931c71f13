// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'

import { computed, onMounted, onScopeDispose, ref, watch } from 'vue'

/** Up to here all rows stand in the page, so that the browser's own search finds each. */
const MOST_WITHOUT_WINDOW = 200
/** Rows are drawn this far beyond the edges, in pixels: a quick turn of the wheel shows no gap. */
const BEYOND = 480

export interface RowWindow {
	/** The positions of the items that are drawn, in order. */
	drawn: Readonly<Ref<readonly number[]>>
	/** Where an item begins, in pixels from the top of the list. */
	top: (at: number) => number
	/** The height of the whole list. */
	height: Readonly<Ref<number>>
	isWindow: Readonly<Ref<boolean>>
	/** How much of the list lies below what can be seen, in pixels; undefined before it was drawn. */
	below: Readonly<Ref<number | undefined>>
}

/**
 * Draws of a long list only what can be seen, and what has the focus: that must never be taken out of the page.
 *
 * @param list the element that holds the items
 * @param heights of all items, in pixels
 * @param kept the position of an item that stays, wherever the list is scrolled to
 */
export function useRowWindow(list: Readonly<Ref<HTMLElement | null>>, heights: Readonly<Ref<readonly number[]>>, kept: Readonly<Ref<number | undefined>>): RowWindow {
	const from = ref(0)
	const to = ref(0)
	const isMeasured = ref(false)
	let frame: number | undefined

	const tops = computed(() => {
		let sum = 0
		return heights.value.map((height) => (sum += height) - height)
	})
	const height = computed(() => (tops.value.at(-1) ?? 0) + (heights.value.at(-1) ?? 0))
	const isWindow = computed(() => heights.value.length > MOST_WITHOUT_WINDOW)

	function measure(): void {
		frame = undefined
		const box = list.value?.getBoundingClientRect()
		if (box !== undefined) {
			from.value = -box.top - BEYOND
			to.value = window.innerHeight - box.top + BEYOND
			isMeasured.value = true
		}
	}

	function measureSoon(): void {
		frame ??= requestAnimationFrame(measure)
	}

	/** The last item that begins at or above a place. */
	function itemAt(place: number): number {
		let [low, high] = [0, tops.value.length - 1]
		while (low < high) {
			const middle = Math.ceil((low + high) / 2)
			if ((tops.value[middle] ?? 0) <= place) {
				low = middle
			} else {
				high = middle - 1
			}
		}
		return Math.max(0, low)
	}

	const range = computed(() => isWindow.value ? { first: itemAt(from.value), last: itemAt(to.value) } : { first: 0, last: heights.value.length - 1 })
	const drawn = computed(() => {
		const { first, last } = range.value
		const inside = Array.from({ length: Math.max(0, last - first + 1) }, (_item, at) => first + at)
		const { value: keep } = kept
		if (keep === undefined || keep >= heights.value.length || (keep >= first && keep <= last)) {
			return inside
		}
		return keep < first ? [keep, ...inside] : [...inside, keep]
	})

	onMounted(measure)
	watch(height, measureSoon)
	// Whichever element scrolls, its event passes here on the way down.
	document.addEventListener('scroll', measureSoon, { capture: true, passive: true })
	window.addEventListener('resize', measureSoon)
	onScopeDispose(() => {
		document.removeEventListener('scroll', measureSoon, { capture: true })
		window.removeEventListener('resize', measureSoon)
		if (frame !== undefined) {
			cancelAnimationFrame(frame)
		}
	})

	return { drawn, top: (at) => tops.value[at] ?? 0, height, isWindow, below: computed(() => isMeasured.value ? height.value - (to.value - BEYOND) : undefined) }
}
