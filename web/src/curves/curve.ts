import { last } from '../format/last'
import type { Kind, LiveReading, Quality, Series, SeriesAnswer } from '../api/schema'

type Cell = number | null

/** One drawn curve; columns of equal length, oldest first. A row whose `mid` is null is a gap. */
export interface Curve {
  point: string
  unit: string
  kind: Kind
  /** Width of a row; null for raw readings. */
  stepMs: number | null
  t: number[]
  low: Cell[]
  /** Mean of a gauge, register at the end of the step of a counter. */
  mid: Cell[]
  high: Cell[]
  /** Some reading between the first and the last row is uncertain. */
  uncertain: boolean
  /** Rows known to be uncertain, by their time. */
  uncertainAt: Set<number>
  /** Readings up to about here are in the rows; a reading on its way when the gateway answered may be older. */
  coveredTo: number
}

/** What became of a live reading: 'late' means that only the gateway can say how the curve looks now. */
export type Merge = 'drawn' | 'known' | 'late'

export function curvesOf(answer: SeriesAnswer): Curve[] {
  return answer.series.map((series) => curveOf(series, answer.to))
}

function curveOf(series: Series, to: number): Curve {
  const stepMs = series.step_ms
  const counter = series.kind === 'counter'
  const end = last(series.t)
  return {
    point: series.point,
    unit: series.unit,
    kind: series.kind,
    stepMs,
    t: series.t,
    low: counter ? [] : series.min,
    mid: counter ? series.last : series.mean,
    high: counter ? [] : series.max,
    uncertain: series.uncertain,
    uncertainAt: new Set(),
    coveredTo: stepMs === null || end === undefined ? (end ?? -Infinity) : Math.min(to, end + stepMs),
  }
}

/**
 * Adds a live reading at the end of a curve.
 *
 * `gapAfterMs` is the silence after which two readings are no longer joined by a line.
 * A bad or empty reading is a gap, never a zero.
 */
export function mergeLive(curve: Curve, reading: LiveReading, gapAfterMs: number): Merge {
  const [, at, value, quality] = reading
  const drawn = quality === 'bad' ? null : value
  return curve.stepMs === null
    ? mergeRaw(curve, at, drawn, quality, gapAfterMs)
    : mergeStep(curve, curve.stepMs, at, drawn, quality, gapAfterMs)
}

function mergeRaw(curve: Curve, at: number, value: Cell, quality: Quality, gapAfterMs: number): Merge {
  const newest = last(curve.t)
  if (newest !== undefined && at < newest) return curve.t.includes(at) ? 'known' : 'late'
  if (newest === at) {
    if (last(curve.mid) === value) return 'known'
    dropLast(curve)
  } else if (newest !== undefined && at - newest > gapAfterMs && last(curve.mid) !== null) {
    pushRow(curve, Math.floor((newest + at) / 2), null)
  }
  pushRow(curve, at, value)
  curve.coveredTo = at
  markQuality(curve, at, quality)
  return 'drawn'
}

/** As many empty steps are a gap; a meter that is read more seldom than the step leaves some empty. */
const GAP_STEPS = 3

function mergeStep(curve: Curve, step: number, at: number, value: Cell, quality: Quality, gapAfterMs: number): Merge {
  const newest = last(curve.t)
  if (newest !== undefined && at < newest) return 'late'
  const row = newest === undefined ? Math.floor(at / step) * step : newest + Math.floor((at - newest) / step) * step
  if (newest === undefined || row > newest) {
    const silent = newest !== undefined && row - newest > Math.max(GAP_STEPS * step, gapAfterMs)
    if (silent && last(curve.mid) !== null) pushRow(curve, newest + step, null)
    pushRow(curve, row, value)
  } else if (value !== null) {
    widenRow(curve, row, at, value)
  }
  curve.coveredTo = Math.max(at, row === newest ? curve.coveredTo : at)
  markQuality(curve, row, quality)
  return 'drawn'
}

/** The mean of the running step, weighted by the time each part of it covers. */
function widenRow(curve: Curve, row: number, at: number, value: number): void {
  const end = curve.t.length - 1
  const mean = curve.mid[end] ?? null
  if (curve.kind === 'counter' || mean === null) {
    setRow(curve, end, value)
    return
  }
  const before = Math.max(0, curve.coveredTo - row)
  const share = at > row ? Math.min(1, before / (at - row)) : 1
  curve.mid[end] = mean * share + value * (1 - share)
  curve.low[end] = Math.min(curve.low[end] ?? value, value)
  curve.high[end] = Math.max(curve.high[end] ?? value, value)
}

function pushRow(curve: Curve, at: number, value: Cell): void {
  curve.t.push(at)
  setRow(curve, curve.t.length - 1, value)
}

function setRow(curve: Curve, index: number, value: Cell): void {
  curve.mid[index] = value
  if (curve.kind === 'counter') return
  curve.low[index] = value
  curve.high[index] = value
}

function dropLast(curve: Curve): void {
  curve.uncertainAt.delete(last(curve.t) ?? 0)
  for (const column of columns(curve)) column.pop()
}

function markQuality(curve: Curve, at: number, quality: Quality): void {
  if (quality === 'uncertain') curve.uncertainAt.add(at)
}

const columns = (curve: Curve): Cell[][] =>
  curve.kind === 'counter' ? [curve.t, curve.mid] : [curve.t, curve.low, curve.mid, curve.high]

/** Forgets rows before an instant, so that a page left open for weeks keeps its size. */
export function trim(curve: Curve, before: number): void {
  const keep = firstAfter(curve.t, before)
  if (keep <= 1) return
  for (const column of columns(curve)) column.splice(0, keep - 1)
  for (const at of curve.uncertainAt) if (at < before) curve.uncertainAt.delete(at)
}

/** Index of the first row later than an instant. */
export function firstAfter(t: number[], at: number): number {
  let [low, high] = [0, t.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((t[middle] ?? Infinity) <= at) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The row under the crosshair: the step that holds the instant, or the nearer of the raw readings beside it; null in a gap.
 *
 * A gap has a row of its own, so between two values there is a line to be read; only where the curve begins, ends or is
 * broken does `reachMs` tell how far a raw reading speaks for the time beside it.
 */
export function rowAt(curve: Curve, at: number, reachMs: number): number | null {
  const next = firstAfter(curve.t, at)
  const before = next - 1
  if (curve.stepMs !== null) {
    const within = next < curve.t.length || at < (curve.t[before] ?? 0) + Math.max(curve.stepMs, reachMs)
    return within && hasValue(curve, before) ? before : null
  }
  const distance = (index: number): number => Math.abs((curve.t[index] ?? 0) - at)
  const [left, right] = [hasValue(curve, before), hasValue(curve, next)]
  if (left && right) return distance(before) <= distance(next) ? before : next
  const only = left ? before : next
  return (left || right) && distance(only) <= reachMs ? only : null
}

export const hasValue = (curve: Curve, index: number): boolean => typeof curve.mid[index] === 'number'

/** Rows that carry a value. */
export function drawnRows(curve: Curve): number {
  return curve.mid.reduce<number>((sum, value) => (value === null ? sum : sum + 1), 0)
}

export function lastDrawn(curve: Curve): number | null {
  for (let index = curve.t.length - 1; index >= 0; index--) if (hasValue(curve, index)) return curve.t[index] ?? null
  return null
}

/** Lowest and highest value between two instants, the row before the first included; null without any. */
export function extent(curve: Curve, from: number, to: number): [number, number] | null {
  let [low, high] = [Infinity, -Infinity]
  const end = Math.min(curve.t.length, firstAfter(curve.t, to) + 1)
  for (let index = Math.max(0, firstAfter(curve.t, from) - 1); index < end; index++) {
    const middle = curve.mid[index]
    if (typeof middle !== 'number') continue
    low = Math.min(low, curve.low[index] ?? middle)
    high = Math.max(high, curve.high[index] ?? middle)
  }
  return low <= high ? [low, high] : null
}
