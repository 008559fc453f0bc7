/** Where the plots stand inside the chart [px]. */
export interface Plot {
  top: number
  height: number
  /** Units of its value axes: one, or one at either side. */
  units: string[]
}

export interface Layout {
  left: number
  width: number
  plots: Plot[]
}

const LEFT = 58
const TOP = 26
const BOTTOM = 26
const BETWEEN = 30
const MARGIN = 14

/** Up to two units share a plot; more are stacked, one plot for each. */
export function layoutOf(units: string[], widthPx: number, heightPx: number): Layout {
  const right = units.length === 2 ? LEFT : MARGIN
  const groups = units.length <= 2 ? [units] : units.map((unit) => [unit])
  const room = heightPx - TOP - BOTTOM - BETWEEN * (groups.length - 1)
  const height = Math.max(20, room / groups.length)
  return {
    left: LEFT,
    width: Math.max(20, widthPx - LEFT - right),
    plots: groups.map((group, index) => ({ top: TOP + index * (height + BETWEEN), height, units: group })),
  }
}
