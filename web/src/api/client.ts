import type { LatestAnswer, MetersAnswer, Overview, ProblemDetails, SeriesAnswer, Site } from './schema'

/** The gateway answered with an error, or did not answer (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly details: ProblemDetails | null,
    message: string,
  ) {
    super(message)
  }
}

export interface SeriesRequest {
  points: string[]
  from: number
  to: number
  rows: number
}

export interface Api {
  site(): Promise<Site>
  meters(): Promise<MetersAnswer>
  latest(): Promise<LatestAnswer>
  overview(): Promise<Overview>
  series(request: SeriesRequest, signal: AbortSignal): Promise<SeriesAnswer>
}

async function problemOf(response: Response): Promise<ProblemDetails | null> {
  if (!response.headers.get('content-type')?.includes('json')) return null
  try {
    return (await response.json()) as ProblemDetails
  } catch {
    return null
  }
}

async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(path, { headers: { accept: 'application/json' }, signal: signal ?? null })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, null, String(error))
  }
  if (!response.ok) {
    const details = await problemOf(response)
    throw new ApiError(response.status, details, details?.detail ?? response.statusText)
  }
  return (await response.json()) as Answer
}

export function seriesQuery({ points, from, to, rows }: SeriesRequest): string {
  const query = new URLSearchParams()
  for (const point of points) query.append('point', point)
  query.set('from', String(Math.floor(from)))
  query.set('to', String(Math.ceil(to)))
  query.set('points', String(Math.round(rows)))
  return query.toString()
}

export function openApi(base: string): Api {
  return {
    site: () => get(`${base}/site`),
    meters: () => get(`${base}/meters`),
    latest: () => get(`${base}/latest`),
    overview: () => get(`${base}/overview`),
    series: (request, signal) => get(`${base}/series?${seriesQuery(request)}`, signal),
  }
}
