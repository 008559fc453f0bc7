import type { Alarm, AlarmAnswer } from '../api/alarms'
import type { SeriesAnswer } from '../api/schema'

export const VIEWS = ['open', 'all', 'rules', 'duty', 'messages'] as const
export type View = (typeof VIEWS)[number]

export const viewOf = (text: unknown): View => VIEWS.find((view) => view === text) ?? 'open'

const BEFORE_MS = 2 * 3_600_000
const LONGEST_MS = 24 * 3_600_000

/** What is asked for to draw an alarm: from two hours before it until it was over, or now; a day at most. */
export function curveRequest(alarm: Alarm, now: number): { points: string[]; from: number; to: number; rows: number } | null {
  if (!alarm.point) return null
  const to = Math.min(now, (alarm.recovered ?? now) + BEFORE_MS)
  return { points: [alarm.point], from: Math.max(alarm.since - BEFORE_MS, to - LONGEST_MS), to, rows: 240 }
}

export interface Drawn {
  /** Lines between gaps, as points of an SVG of 600 by 120. */
  lines: string[]
  limit: number | null
  since: number
  top: number
  bottom: number
}

export const WIDTH = 600
export const HEIGHT = 120

/** The curve of an alarm with its limit; null where there is nothing to draw. */
export function drawn(answer: SeriesAnswer, alarm: Alarm): Drawn | null {
  const curve = answer.series[0]
  if (!curve) return null
  const values = curve.kind === 'gauge' ? curve.mean : curve.last
  const known = values.filter((value): value is number => value !== null)
  if (known.length < 2) return null
  const top = Math.max(...known, alarm.limit ?? -Infinity)
  const bottom = Math.min(0, ...known)
  const y = (value: number): number => Math.round((HEIGHT - 6 - ((value - bottom) / (top - bottom || 1)) * (HEIGHT - 12)) * 10) / 10
  const x = (at: number): number => Math.round(((at - answer.from) / (answer.to - answer.from || 1)) * WIDTH * 10) / 10
  const lines: string[][] = [[]]
  curve.t.forEach((at, i) => {
    const value = values[i]
    if (value === null || value === undefined) lines.push([])
    else lines.at(-1)?.push(`${x(at)},${y(value)}`)
  })
  return { lines: lines.filter((line) => line.length).map((line) => line.join(' ')), limit: alarm.limit === null ? null : y(alarm.limit), since: x(alarm.since), top, bottom }
}

/** What may be done about an alarm as it is. */
export function deeds({ alarm }: AlarmAnswer): { acknowledge: boolean; handle: boolean; close: boolean } {
  const over = alarm.closed !== null
  const taken = alarm.acknowledged !== null
  return { acknowledge: !over && !taken, handle: !over, close: !over && (taken || alarm.recovered !== null) }
}

const DAY_MS = 86_400_000

/** The Monday of the week that an instant lies in, in the zone that is so far off UTC [ms]. */
export function mondayOf(at: number, offset: number): number {
  const day = Math.floor((at + offset) / DAY_MS)
  // The first of January 1970 was a Thursday.
  return (day - ((day + 3) % 7)) * DAY_MS - offset
}

export const WEEK_MS = 7 * DAY_MS
