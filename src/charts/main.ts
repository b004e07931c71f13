// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The script `charts`: fetched when the overview has something to draw.

import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip } from 'chart.js'

export { default as DayCanvas } from './DayCanvas.vue'

/** For whoever wants to know what a chart holds: `Chart.getChart(canvas)`. */
export { Chart }

// One by one, so that what is not used is not in the script.
Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip)
