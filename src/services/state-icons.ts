// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** How a part is, beside its word. Each has a shape of its own: colour alone says nothing. */

import { outline } from './icons.ts'

const CIRCLE = 'M12 3.4a8.6 8.6 0 1 0 0 17.2 8.6 8.6 0 0 0 0-17.2z'

export const iconWorking = outline(CIRCLE, 'M8 12.2l2.8 2.8 5.2-5.6')

export const iconDegraded = outline('M12 4l9 15.6H3z', 'M12 10v4.4', 'M12 17v.2')

export const iconDown = outline(CIRCLE, 'M9 9l6 6', 'M15 9l-6 6')

export const iconNotSetUp = outline(CIRCLE, 'M8.4 12h7.2')
