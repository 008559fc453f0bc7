import { onScopeDispose, type Ref, ref, type ShallowRef, shallowRef, watch } from 'vue'
import { ApiError } from '../api/client'
import { backoffMs } from '../api/backoff'
import type { LiveReading, Meter } from '../api/schema'
import type { Campus } from '../site/campus'
import { type Curve, curvesOf, mergeLive, trim } from './curve'
import { type TimeWindow, widened } from './window'

const SETTLE_MS = 120
const REDRAW_MS = 200
const LATE_MS = 5_000
const REFRESH_AT_LEAST_MS = 60_000
const MOST_ROWS = 10_000

export interface CurveSource {
  /** In the order of the chosen points; replaced as a whole whenever something changed. */
  curves: ShallowRef<Curve[]>
  loading: Ref<boolean>
  failure: ShallowRef<ApiError | null>
  /** When the gateway last answered. */
  answeredAt: Ref<number | null>
  refetch(): void
}

interface Wish {
  points: Ref<string[]>
  window: ShallowRef<TimeWindow>
  widthPx: Ref<number>
}

/** Silence after which a line would claim what nobody knows; the gateway opens gaps by the same measure. */
function gapAfterMs(meter: Meter | undefined): number {
  return (meter?.interval_s ?? 60) * 3_000
}

/** The rows of the chosen points around the window: asked for when it comes to rest, live readings added at the end. */
export function useCurveSource(campus: Campus, { points, window: shown, widthPx }: Wish): CurveSource {
  const curves = shallowRef<Curve[]>([])
  const loading = ref(false)
  const failure = shallowRef<ApiError | null>(null)
  const answeredAt = ref<number | null>(null)
  let request: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let redraw: ReturnType<typeof setTimeout> | undefined
  let duringRequest: LiveReading[] = []
  let filledDuringRequest = false
  let askedAt = 0
  let askedSpan = 0
  let movedAt = -Infinity
  let failures = 0

  function schedule(ms: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void ask(), ms)
  }

  /** The first change asks at once; the others of one gesture wait until it comes to rest. */
  function scheduleMoved(): void {
    const now = performance.now()
    schedule(now - movedAt > 3 * SETTLE_MS ? 0 : SETTLE_MS)
    movedAt = now
  }

  async function ask(): Promise<void> {
    clearTimeout(timer)
    request?.abort()
    if (points.value.length === 0) {
      curves.value = []
      loading.value = false
      return
    }
    const mine = new AbortController()
    request = mine
    duringRequest = []
    filledDuringRequest = false
    loading.value = true
    askedAt = campus.clock.now()
    askedSpan = shown.value.to - shown.value.from
    try {
      const range = widened(shown.value, askedAt)
      const answer = await campus.api.series({ points: points.value, ...range, rows: Math.min(MOST_ROWS, 2 * widthPx.value) }, mine.signal)
      if (mine.signal.aborted) return
      curves.value = ordered(curvesOf(answer))
      for (const reading of duringRequest) merge(reading)
      failure.value = null
      failures = 0
      answeredAt.value = campus.clock.now()
    } catch (error) {
      if (mine.signal.aborted) return
      failure.value = error instanceof ApiError ? error : new ApiError(0, null, String(error))
      schedule(backoffMs(failures++))
    }
    request = null
    loading.value = false
    if (filledDuringRequest) onLate()
  }

  function ordered(answer: Curve[]): Curve[] {
    const byPoint = new Map(answer.map((curve) => [curve.point, curve]))
    return points.value.map((point) => byPoint.get(point)).filter((curve) => curve !== undefined)
  }

  function take(readings: LiveReading[]): void {
    const wanted = readings.filter(([point]) => points.value.includes(point))
    if (wanted.length === 0) return
    if (request) duringRequest.push(...wanted)
    if (!shown.value.follow) return
    const became = wanted.map(merge)
    if (became.includes('late') && !request) onLate()
    if (became.includes('drawn')) redraw ??= setTimeout(publish, REDRAW_MS)
  }

  function onLate(): void {
    filledDuringRequest = request !== null
    if (!request) schedule(Math.max(0, askedAt + LATE_MS - campus.clock.now()))
  }

  function onBackfill(filled: string[]): void {
    if (filled.some((point) => points.value.includes(point))) onLate()
  }

  function merge(reading: LiveReading): ReturnType<typeof mergeLive> {
    const curve = curves.value.find(({ point }) => point === reading[0])
    if (!curve) return 'known'
    const meter = campus.meters.value.find(({ id }) => curve.point.startsWith(`${id}:`))
    return mergeLive(curve, reading, gapAfterMs(meter))
  }

  function publish(): void {
    redraw = undefined
    const { from, to, follow } = shown.value
    if (follow) for (const curve of curves.value) trim(curve, from - (to - from))
    curves.value = [...curves.value]
  }

  /** A following window slides on without asking; now and then the gateway's own rows replace what was added here. */
  function onWindow(now: TimeWindow, before: TimeWindow): void {
    const slid = now.follow && before.follow && Math.abs(now.to - now.from - askedSpan) < askedSpan / 1000
    if (!slid) return scheduleMoved()
    const refreshMs = Math.max(REFRESH_AT_LEAST_MS, askedSpan / 4)
    if (!request && campus.clock.now() - askedAt > refreshMs) schedule(0)
  }

  function onPoints(): void {
    curves.value = ordered(curves.value)
    schedule(0)
  }

  watch(shown, onWindow)
  watch(() => points.value.join(), onPoints, { immediate: true })
  watch(widthPx, () => schedule(SETTLE_MS))
  const leave = [campus.onReadings(take), campus.onBackfill(onBackfill), campus.onReturn(() => schedule(0))]
  onScopeDispose(() => {
    for (const stop of leave) stop()
    clearTimeout(timer)
    clearTimeout(redraw)
    request?.abort()
  })

  return { curves, loading, failure, answeredAt, refetch: () => schedule(0) }
}
