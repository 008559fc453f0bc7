/** The stretch of time on the screen; `follow` keeps its right edge at the present. */
export interface TimeWindow {
  from: number
  to: number
  follow: boolean
}

export const PERIODS = ['live', 'day', 'week', 'month', 'year'] as const
export type Period = (typeof PERIODS)[number]

const MINUTE = 60_000
const DAY = 86_400_000

export const SPAN_MS: Record<Period, number> = {
  live: 15 * MINUTE,
  day: DAY,
  week: 7 * DAY,
  month: 31 * DAY,
  year: 366 * DAY,
}

export const SHORTEST_MS = 10_000
export const LONGEST_MS = 10 * 366 * DAY

export interface WindowAddress {
  period: string | null
  from: number | null
  to: number | null
  span: number | null
}

const isPeriod = (word: string | null): word is Period => PERIODS.includes(word as Period)

const clampSpan = (span: number): number => Math.min(LONGEST_MS, Math.max(SHORTEST_MS, span))

export function following(span: number, now: number): TimeWindow {
  return { from: now - clampSpan(span), to: now, follow: true }
}

export function windowOf({ period, from, to, span }: WindowAddress, now: number): TimeWindow {
  if (isPeriod(period)) return following(SPAN_MS[period], now)
  if (from !== null && to !== null && to > from) return { from, to: from + clampSpan(to - from), follow: false }
  return following(span ?? SPAN_MS.live, now)
}

export function addressOf(window: TimeWindow): WindowAddress & { period: string } {
  const span = Math.round(window.to - window.from)
  if (!window.follow) return { period: 'custom', from: Math.round(window.from), to: Math.round(window.to), span: null }
  const period = periodOf(window)
  return period ? { period, from: null, to: null, span: null } : { period: 'custom', from: null, to: null, span }
}

export function periodOf(window: TimeWindow): Period | null {
  if (!window.follow) return null
  const span = window.to - window.from
  return PERIODS.find((period) => Math.abs(SPAN_MS[period] - span) < span / 1000) ?? null
}

/** The window a gesture has made: held at the right end of the axis, it goes on following. */
export function gestured(from: number, to: number, atEnd: boolean, now: number): TimeWindow {
  return atEnd ? following(to - from, now) : { from, to, follow: false }
}

export function shift(window: TimeWindow, share: number, now: number): TimeWindow {
  const span = window.to - window.from
  const to = window.to + span * share
  return to >= now ? following(span, now) : { from: to - span, to, follow: false }
}

export function zoom(window: TimeWindow, factor: number, now: number): TimeWindow {
  const span = clampSpan((window.to - window.from) * factor)
  if (window.follow) return following(span, now)
  const to = (window.from + window.to + span) / 2
  return to >= now ? following(span, now) : { from: to - span, to, follow: false }
}

/** What to ask the gateway for: half a width more on each side, so that a short pan meets data. */
export function widened({ from, to }: TimeWindow, now: number): { from: number; to: number } {
  const half = (to - from) / 2
  return { from: from - half, to: Math.max(to, Math.min(to + half, now)) }
}

/** How often a following window moves: once per pixel, between a second and a minute. */
export function tickMs(window: TimeWindow, widthPx: number): number {
  return Math.min(MINUTE, Math.max(1000, (window.to - window.from) / Math.max(1, widthPx)))
}
