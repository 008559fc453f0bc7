import type { LatestAnswer, MetersAnswer, Overview, ProblemDetails, SeriesAnswer, Site } from './schema'

/** Where the API lies, beside the page. */
export const apiBase = (): URL => new URL('api/v1', document.baseURI)

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

/** Asked by the page itself, with nobody before it: this keeps no session alive. */
const BACKGROUND = { 'x-background': '1' }
const STRANGE_PAGE = 'urn:jieneng:csrf'

let csrf = ''
let signedOut: () => Promise<void> = () => Promise.resolve()

/** The word of the session, which every POST says beside the cookie. */
export function useCsrf(word: string): void {
  csrf = word
}

/** What is done when the gateway no longer knows who is asking. */
export function onSignedOut(refresh: () => Promise<void>): void {
  signedOut = refresh
}

export function getJson<Answer>(path: string, signal?: AbortSignal, background = false): Promise<Answer> {
  const headers = { accept: 'application/json', ...(background ? BACKGROUND : {}) }
  return answered(path, { headers, signal: signal ?? null })
}

export function postJson<Answer>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
  return posted(path, JSON.stringify(body), 'application/json', signal)
}

/** A file as it is. */
export const postFile = <Answer>(path: string, file: File, type: string): Promise<Answer> => posted(path, file, type)

async function posted<Answer>(path: string, body: string | File, type: string, signal?: AbortSignal): Promise<Answer> {
  const post = (): Promise<Answer> => {
    const headers = { accept: 'application/json', 'content-type': type, 'x-csrf-token': csrf }
    return answered(path, { method: 'POST', headers, body, signal: signal ?? null })
  }
  try {
    return await post()
  } catch (error) {
    // Somebody signed in anew in another window: the session is another, and its word too.
    if (!(error instanceof ApiError) || error.details?.type !== STRANGE_PAGE) throw error
    await signedOut()
    return post()
  }
}

async function answered<Answer>(path: string, request: RequestInit): Promise<Answer> {
  return (await (await fetched(path, request)).json()) as Answer
}

/** A file of the gateway, under the name that it gives. */
export async function getFile(path: string, signal?: AbortSignal): Promise<{ name: string; content: Blob }> {
  const response = await fetched(path, { signal: signal ?? null })
  const name = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get('content-disposition') ?? '')?.[1]
  return { name: name ? decodeURIComponent(name) : 'download', content: await response.blob() }
}

async function fetched(path: string, request: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, request)
  } catch (error) {
    if (request.signal?.aborted) throw error
    throw new ApiError(0, null, String(error))
  }
  if (!response.ok) {
    const details = await problemOf(response)
    if (response.status === 401) void signedOut()
    throw new ApiError(response.status, details, details?.detail ?? response.statusText)
  }
  return response
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
    site: () => getJson(`${base}/site`, undefined, true),
    meters: () => getJson(`${base}/meters`, undefined, true),
    latest: () => getJson(`${base}/latest`, undefined, true),
    overview: () => getJson(`${base}/overview`, undefined, true),
    series: (request, signal) => getJson(`${base}/series?${seriesQuery(request)}`, signal),
  }
}
