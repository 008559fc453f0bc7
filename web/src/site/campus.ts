import { type InjectionKey, type Ref, ref, type ShallowReactive, shallowReactive, type ShallowRef, shallowRef } from 'vue'
import { backoffMs } from '../api/backoff'
import { type Api, ApiError } from '../api/client'
import type { Clock } from '../api/clock'
import { type ConnectionState, Live } from '../api/live'
import type { Latest, LiveMessage, LiveReading, Meter, Overview, Site } from '../api/schema'

/** What is known of the site now, kept up to date as long as the page is open. */
export interface Campus {
  readonly api: Api
  readonly clock: Clock
  readonly site: ShallowRef<Site | null>
  readonly meters: ShallowRef<Meter[]>
  readonly overview: ShallowRef<Overview | null>
  /** By point, METER:QUANTITY. */
  readonly latest: ShallowReactive<Map<string, Latest>>
  readonly connection: Ref<ConnectionState>
  /** When the newest reading known here was taken. */
  readonly dataAt: Ref<number | null>
  readonly failure: ShallowRef<ApiError | null>
  /** Live readings of these points are wanted besides every meter's headline. */
  watchPoints(points: string[]): void
  onReadings(listener: (readings: LiveReading[]) => void): () => void
  /** The connection is back after readings may have been missed. */
  /** Readings of these points that had waited at an edge are stored: their curves have new rows in the past. */
  onBackfill(listener: (points: string[]) => void): () => void
  onReturn(listener: () => void): () => void
  start(): Promise<void>
  retry(): void
}

export const CAMPUS: InjectionKey<Campus> = Symbol('campus')

const METERS_EVERY_MS = 60_000
const METERS_AT_MOST_EVERY_MS = 5_000

/** The point whose curve says most; null for a meter that measures nothing yet. */
export const headlineOf = ({ id, headline }: Meter): string | null => (headline === null ? null : `${id}:${headline}`)

export const headlinesOf = (meters: Meter[]): string[] => meters.map(headlineOf).filter((point) => point !== null)

export function openCampus(api: Api, clock: Clock, liveUrl: string): Campus {
  const site = shallowRef<Site | null>(null)
  const meters = shallowRef<Meter[]>([])
  const overview = shallowRef<Overview | null>(null)
  const latest = shallowReactive(new Map<string, Latest>())
  const connection = ref<ConnectionState>('reconnecting')
  const dataAt = ref<number | null>(null)
  const failure = shallowRef<ApiError | null>(null)
  const listeners = new Set<(readings: LiveReading[]) => void>()
  const backfilled = new Set<(points: string[]) => void>()
  const returned = new Set<() => void>()
  let chosen: string[] = []
  let wasConnected = false
  let metersAskedAt = 0
  let wake: () => void = () => undefined

  const live = new Live({ url: liveUrl, onMessage, onState })

  function onMessage(message: LiveMessage): void {
    if ('at' in message) clock.hear(message.at)
    if (message.type === 'readings') takeReadings(message.readings)
    if (message.type === 'backfilled') for (const listener of backfilled) listener(message.points)
    if (message.type === 'overview') takeOverview(message.overview)
  }

  function onState(state: ConnectionState): void {
    connection.value = state
    if (state !== 'connected') return
    if (wasConnected) void catchUp()
    wasConnected = true
  }

  function takeReadings(readings: LiveReading[]): void {
    for (const [point, takenAt, value, quality] of readings) {
      keep({ point, taken_at: takenAt, value, quality, reason: null })
    }
    for (const listener of listeners) listener(readings)
  }

  function keep(reading: Latest): void {
    const known = latest.get(reading.point)
    if (known && known.taken_at > reading.taken_at) return
    latest.set(reading.point, reading)
    if (reading.taken_at > (dataAt.value ?? 0)) dataAt.value = reading.taken_at
  }

  function takeOverview(answer: Overview): void {
    const before = overview.value
    overview.value = answer
    if (before && wrongWith(before) !== wrongWith(answer)) void refreshMeters()
  }

  /** Meters' states are not pushed; what is wrong is, and changes with them. */
  async function refreshMeters(): Promise<void> {
    if (clock.now() - metersAskedAt < METERS_AT_MOST_EVERY_MS) return
    metersAskedAt = clock.now()
    meters.value = (await api.meters()).meters
    subscribe()
  }

  async function refreshLatest(): Promise<void> {
    for (const reading of (await api.latest()).latest) keep(reading)
  }

  async function catchUp(): Promise<void> {
    metersAskedAt = 0
    for (const listener of returned) listener()
    await Promise.allSettled([refreshMeters(), refreshLatest()])
  }

  function subscribe(): void {
    live.subscribe([...new Set([...headlinesOf(meters.value), ...chosen])])
  }

  async function load(): Promise<void> {
    const [siteAnswer, metersAnswer] = await Promise.all([api.site(), api.meters()])
    site.value = siteAnswer
    meters.value = metersAnswer.meters
    subscribe()
    const [overviewAnswer] = await Promise.all([api.overview(), refreshLatest()])
    clock.hear(overviewAnswer.at)
    overview.value ??= overviewAnswer
  }

  async function start(): Promise<void> {
    live.open()
    window.addEventListener('online', () => live.hurry())
    document.addEventListener('visibilitychange', () => document.hidden || live.hurry())
    setInterval(() => connection.value === 'connected' && void refreshMeters().catch(() => undefined), METERS_EVERY_MS)
    for (let attempt = 0; ; attempt++) {
      try {
        await load()
        failure.value = null
        return
      } catch (error) {
        failure.value = error instanceof ApiError ? error : new ApiError(0, null, String(error))
        await pause(backoffMs(attempt))
      }
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
      setTimeout(resolve, ms)
    })
  }

  return {
    api,
    clock,
    site,
    meters,
    overview,
    latest,
    connection,
    dataAt,
    failure,
    watchPoints(points) {
      chosen = points
      subscribe()
    },
    onReadings: (listener) => joined(listeners, listener),
    onBackfill: (listener) => joined(backfilled, listener),
    onReturn: (listener) => joined(returned, listener),
    start,
    retry: () => {
      wake()
      live.hurry()
    },
  }
}

const wrongWith = (overview: Overview): string =>
  overview.problems.map(({ kind, subject }) => `${kind} ${subject}`).join('\n')

function joined<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
