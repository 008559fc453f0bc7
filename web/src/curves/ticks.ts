import { instantOf, wallClock, wallMs } from '../format/time'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Distances between ticks: of constant length, or a number of months. */
type Step = { ms: number } | { months: number }

const STEPS: Step[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => ({ ms: count * SECOND })),
  ...[1, 2, 5, 10, 15, 30].map((count) => ({ ms: count * MINUTE })),
  ...[1, 2, 3, 6, 12].map((count) => ({ ms: count * HOUR })),
  ...[1, 2, 7].map((count) => ({ ms: count * DAY })),
  ...[1, 3, 6, 12, 24, 60].map((count) => ({ months: count })),
]

const lengthOf = (step: Step): number => ('ms' in step ? step.ms : step.months * 30 * DAY)

export interface TickScale {
  ticks: number[]
  /** Approximate distance of two ticks [ms]. */
  stepMs: number
}

/** Instants at which the site's wall clock is round, at most `most` between `from` and `to`, also across a change of summer time. */
export function timeTicks(from: number, to: number, zone: string, most: number, beyond = 1): TickScale {
  const wanted = (to - from) / Math.max(1, most)
  const step = STEPS.find((candidate) => lengthOf(candidate) >= wanted) ?? { months: 120 }
  const margin = (to - from) * beyond
  const [begin, end] = [from - margin, to + margin]
  return { ticks: ticksOf(step, begin, end, zone), stepMs: lengthOf(step) }
}

function ticksOf(step: Step, from: number, to: number, zone: string): number[] {
  if ('months' in step) return byMonths(step.months, from, to, zone)
  return step.ms < HOUR ? byInstants(step.ms, from, to, zone) : byWallClock(step.ms, from, to, zone)
}

/** Offsets of zones and their changes are whole half hours, so that short steps stay round through a change. */
function byInstants(step: number, from: number, to: number, zone: string): number[] {
  const offset = wallMs(from, zone) - Math.floor(from / SECOND) * SECOND
  const ticks: number[] = []
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) ticks.push(at)
  return ticks
}

const MONDAY = 4 * DAY

function byWallClock(step: number, from: number, to: number, zone: string): number[] {
  const anchor = step === 7 * DAY ? MONDAY : 0
  const first = Math.ceil((wallMs(from, zone) - anchor) / step) * step + anchor
  const last = wallMs(to, zone)
  const walls: number[] = []
  for (let wall = first; wall <= last; wall += step) walls.push(wall)
  return instants(walls, zone)
}

function byMonths(months: number, from: number, to: number, zone: string): number[] {
  const begin = wallClock(from, zone)
  const last = wallMs(to, zone)
  const month = Math.ceil((begin.year * 12 + begin.month - 1) / months) * months
  const walls: number[] = []
  for (let next = month; ; next += months) {
    const wall = Date.UTC(Math.floor(next / 12), next % 12, 1)
    if (wall > last) break
    walls.push(wall)
  }
  return instants(walls, zone).filter((at) => at >= from)
}

const instants = (walls: number[], zone: string): number[] =>
  walls.map((wall) => instantOf(wall, zone)).filter((at) => at !== null)

export interface TickLabel {
  text: string
  /** Begins a new day among hours, or a new year among months. */
  strong: boolean
}

const two = (value: number): string => String(value).padStart(2, '0')

export function tickLabel(at: number, stepMs: number, zone: string): TickLabel {
  const { year, month, day, hour, minute, second } = wallClock(at, zone)
  if (stepMs >= 360 * DAY) return { text: String(year), strong: false }
  if (stepMs >= 28 * DAY) return month === 1 ? { text: String(year), strong: true } : { text: `${year}-${two(month)}`, strong: false }
  const monthAndDay = `${two(month)}-${two(day)}`
  if (stepMs >= DAY) return { text: monthAndDay, strong: false }
  if (hour === 0 && minute === 0 && second === 0) return { text: monthAndDay, strong: true }
  const clock = `${two(hour)}:${two(minute)}`
  return { text: stepMs < MINUTE ? `${clock}:${two(second)}` : clock, strong: false }
}

export interface ValueScale {
  min: number
  max: number
  interval: number
}

/** What a value axis has to show. */
export interface ValueRange {
  low: number
  high: number
  /** Begin at zero when the curves come near it. */
  fromZero: boolean
}

/**
 * Value axes with one number of round intervals, about `splits`, so that axes beside each other share their grid lines;
 * of the numbers near it, the one that leaves the least room empty.
 */
export function valueScales(ranges: ValueRange[], splits: number): ValueScale[] {
  const choices = [splits, splits + 1, splits - 1].filter((count) => count >= 2)
  const scaled = choices.map((count) => ranges.map((range) => valueScale(range, count)))
  const fills = scaled.map((scales) => scales.reduce((sum, scale, index) => sum + fill(scale, ranges[index]), 0))
  return scaled[fills.indexOf(Math.max(...fills))] ?? []
}

const fill = (scale: ValueScale, range?: ValueRange): number => (range ? (range.high - scale.min) / (scale.max - scale.min) : 0)

function valueScale({ low, high, fromZero }: ValueRange, splits: number): ValueScale {
  const bottom = fromZero && low >= 0 && low < high * 0.6 ? 0 : low
  const span = high - bottom || Math.abs(high) * 0.1 || 1
  for (let interval = roundUp(span / splits); ; interval = roundUp(interval * 1.01)) {
    const min = Math.floor(bottom / interval + 1e-9) * interval
    if (min + interval * splits >= high - interval * 1e-9) return { min, max: min + interval * splits, interval }
  }
}

const ROUND = [1, 2, 2.5, 3, 4, 5, 6, 8, 10]

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * (ROUND.find((candidate) => candidate * power >= value * (1 - 1e-9)) ?? 10)
}

/** Digits after the point that the labels of an axis need. */
export function digitsOf(interval: number): number {
  for (let digits = 0; digits < 6; digits++) {
    const scaled = interval * 10 ** digits
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits
  }
  return 6
}
