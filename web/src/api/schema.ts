// The gateway's API v1 as the page sees it. Times are integer milliseconds since the epoch, UTC.

export interface Text {
  zh: string
  en: string
}

export type Medium = 'electricity' | 'water' | 'gas' | 'heat' | 'environment'
export type Quality = 'good' | 'uncertain' | 'bad'
export type Kind = 'gauge' | 'counter'
export type MeterState = 'reporting' | 'late' | 'silent' | 'unknown'

export interface Place {
  id: string
  name: Text
  kind: string
}

export interface Quantity {
  id: string
  name: Text
  unit: string
  kind: Kind
}

export interface Site {
  site: string
  name: Text
  /** IANA name of the site's time zone. */
  zone: string
  version: string
  places: Place[]
  quantities: Quantity[]
}

export interface Meter {
  id: string
  name: Text
  medium: Medium
  place: string | null
  /** The main meter above this one. */
  parent: string | null
  profile: string | null
  interval_s: number | null
  /** The quantity whose curve says most. */
  headline: string
  quantities: string[]
  state: MeterState
  last_taken_at: number | null
}

export interface MetersAnswer {
  meters: Meter[]
}

export interface Latest {
  /** METER:QUANTITY */
  point: string
  taken_at: number
  value: number | null
  quality: Quality
  reason: string | null
}

export interface LatestAnswer {
  at: number
  latest: Latest[]
}

/**
 * Columns of equal length, oldest first; a row of nulls marks a gap.
 * A gauge fills min, mean and max; a counter fills first and last; the others are empty.
 */
export interface Series {
  point: string
  unit: string
  kind: Kind
  /** This curve's own step, where it differs from the answer's: one curve may be raw while another is reduced. */
  step_ms?: number | null
  t: number[]
  min: (number | null)[]
  mean: (number | null)[]
  max: (number | null)[]
  first: (number | null)[]
  last: (number | null)[]
  uncertain: boolean
}

export interface SeriesAnswer {
  from: number
  to: number
  /** The longest step of the curves; null: raw readings, none of them reduced. */
  step_ms: number | null
  series: Series[]
}

export interface Total {
  medium: Medium
  quantity: string
  unit: string
  /** Sum over the main meters that report. */
  value: number | null
  reporting: number
  meters: number
}

export interface PlaceTotals {
  place: string
  media: Total[]
}

export interface Edge {
  edge: string
  state: 'online' | 'offline'
  since: number
  outbox_batches: number | null
  meters_silent: string[]
  meters: number | null
}

export interface Problem {
  kind: string
  subject: string
  since: number
  text: Text
}

export interface Overview {
  at: number
  media: Total[]
  places: PlaceTotals[]
  edges: Edge[]
  problems: Problem[]
}

/** RFC 9457. */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  detail: string
  text?: Text
}

/** [point, taken_at, value, quality] */
export type LiveReading = [string, number, number | null, Quality]

export interface Subscription {
  subscribe: string[]
  overview: boolean
}

export type LiveMessage =
  | { type: 'hello'; version: string; at: number }
  | { type: 'readings'; readings: LiveReading[] }
  | { type: 'overview'; overview: Overview }
  | { type: 'beat'; at: number }
