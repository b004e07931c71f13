// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ListFilter, Narrowing } from '../services/history-filter.ts'
import type { Call } from '../services/types.ts'
import type { Calls } from './useCalls.ts'
import type { History } from './useHistory.ts'
import type { MyAccount } from './useMe.ts'
import type { Doubt } from './usePlacing.ts'

import { onScopeDispose, ref } from 'vue'
import { getHistory, pageEnd } from '../services/api.ts'
import { isNarrowed, LIVE_CALLS } from '../services/history-filter.ts'
import { useCalls } from './useCalls.ts'
import { useEventStream } from './useEventStream.ts'
import { useHistory } from './useHistory.ts'
import { createTurns, roundOf, usePolling } from './usePolling.ts'
import { useTabs } from './useTabs.ts'

const IDLE_MS = 30_000
const PROGRESS_MS = 1000
const TALK_MS = 2000
/** While the server tells by itself, asking only finds what a proxy has swallowed. */
const TOLD_MS = 10_000
/** So long after the click a page that was loaded again expects its call at any moment. */
const FRESH_CLICK_MS = 30_000

export interface FreshData {
	calls: Calls
	history: History
	/** The server does not answer at the moment; what is shown may be old. */
	isFailing: Readonly<Ref<boolean>>
	isOnline: Readonly<Ref<boolean>>
	load: () => Promise<void>
	/** This page was opened by the test link of the settings. */
	tellLinkWorks: () => void
}

/** Calls, history and account, kept as the server has them: by the server's own news where they come through, by asking, and by what other tabs have been told. */
export function useFreshData(account: MyAccount, filter: Readonly<Ref<ListFilter>>, narrowing: Readonly<Ref<Narrowing>>): FreshData {
	const turns = createTurns()
	const calls = useCalls({
		turns,
		onEnded: (call) => history.put(call),
		onTold(call) {
			tell({ type: 'call', call })
			polling.heard('call')
		},
		onHangUp: (uuid) => tell({ type: 'hang_up', uuid }),
		onAnswer: () => polling.resume(),
	})
	const history = useHistory(filter, narrowing, (call) => calls.follow(call))

	const tell = useTabs((news) => {
		switch (news.type) {
			case 'call':
				calls.follow(news.call)
				polling.heard('call', true)
				break
			case 'me':
				account.take(news.me)
				polling.heard('me', true)
				break
			case 'hang_up':
				calls.noteHangUp(news.uuid)
				break
			case 'handler_ok':
		}
	})

	const isTold = useEventStream((call) => {
		calls.follow(call)
		polling.heard('call')
	})
	const progressMs = (isConnected: boolean) => isTold.value ? TOLD_MS : isConnected ? TALK_MS : PROGRESS_MS
	const lookMs = ({ request, at }: Doubt) => request === undefined && Date.now() - at < FRESH_CLICK_MS ? PROGRESS_MS : IDLE_MS
	const showsLive = () => filter.value === 'all' && !isNarrowed(narrowing.value)
	const whileAllowed = (ms: number) => pageEnd.value === undefined ? ms : undefined
	const polling = usePolling({
		call: {
			run: calls.ask,
			everyMs: () => calls.live.value === undefined ? undefined : whileAllowed(progressMs(calls.live.value.status === 'connected')),
		},
		me: { run: loadAccount, everyMs: () => whileAllowed(IDLE_MS) },
		history: { run: () => history.refresh(), everyMs: () => whileAllowed(IDLE_MS) },
		click: { run: calls.look, everyMs: () => calls.doubt.value && whileAllowed(lookMs(calls.doubt.value)) },
		// A list that leaves live calls out would not tell of those that were started elsewhere.
		live: { run: findLive, everyMs: () => showsLive() ? undefined : whileAllowed(IDLE_MS) },
	}, turns)

	async function loadAccount() {
		const round = await account.load()
		if (round === 'go_on' && account.me.value !== undefined) {
			tell({ type: 'me', me: account.me.value })
		}
		return round
	}

	async function findLive() {
		try {
			const { items } = await getHistory(5, LIVE_CALLS)
			items.forEach((call: Call) => calls.follow(call))
			return 'go_on' as const
		} catch (error) {
			return roundOf(error as Parameters<typeof roundOf>[0])
		}
	}

	const isOnline = ref(navigator.onLine)
	const noteNetwork = () => {
		isOnline.value = navigator.onLine
	}
	window.addEventListener('online', noteNetwork)
	window.addEventListener('offline', noteNetwork)
	onScopeDispose(() => {
		window.removeEventListener('online', noteNetwork)
		window.removeEventListener('offline', noteNetwork)
	})

	return {
		calls,
		history,
		isFailing: polling.isFailing,
		isOnline,
		tellLinkWorks: () => tell({ type: 'handler_ok' }),
		load: () => polling.askAll(['me', 'history', 'click', ...(showsLive() ? [] : ['live' as const])]),
	}
}
