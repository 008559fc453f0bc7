// The gateway's API v1 under the names the page uses. Times are integer milliseconds since the epoch, UTC.
import type { components } from './openapi'

type Schemas = components['schemas']

export type Text = Schemas['TextWords']
export type Medium = Schemas['Medium']
export type Kind = Schemas['Kind']
export type Site = Schemas['SiteAnswer']
export type Place = Schemas['PlaceWords']
export type Meter = Schemas['MeterWords']
export type MeterState = Meter['state']
export type MetersAnswer = Schemas['MetersAnswer']
export type Latest = Schemas['LatestWords']
export type LatestAnswer = Schemas['LatestAnswer']
export type Quality = Latest['quality']
export type Series = Schemas['CurveWords']
export type SeriesAnswer = Schemas['SeriesAnswer']
export type Overview = Schemas['Overview']
export type Total = Schemas['Total']
/** RFC 9457. */
export type ProblemDetails = Schemas['Problem']

/** [point, taken_at, value, quality] */
export type LiveReading = Schemas['PushedReadings']['readings'][number]
export type LiveMessage =
  Schemas['Hello'] | Schemas['PushedReadings'] | Schemas['Backfilled'] | Schemas['PushedOverview'] | Schemas['Beat']

/** What the page sends; the description of the API holds only what the gateway sends. */
export interface Subscription {
  subscribe: string[]
  overview: boolean
}
