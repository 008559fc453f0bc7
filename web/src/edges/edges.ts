import type { FleetEdge } from '../api/edges'

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000]

/** How long something is, in its two largest units: a key of words, and how many of each. */
export type Length = { key: 'days' | 'hours' | 'minutes' | 'seconds'; large: number; small: number }

export function lengthOf(ms: number): Length {
  const whole = Math.max(0, Math.round(ms / SECOND)) * SECOND
  if (whole >= DAY) return { key: 'days', large: Math.floor(whole / DAY), small: Math.floor((whole % DAY) / HOUR) }
  if (whole >= HOUR) return { key: 'hours', large: Math.floor(whole / HOUR), small: Math.floor((whole % HOUR) / MINUTE) }
  if (whole >= MINUTE) return { key: 'minutes', large: Math.floor(whole / MINUTE), small: (whole % MINUTE) / SECOND }
  return { key: 'seconds', large: whole / SECOND, small: 0 }
}

/** Where the clock of an edge stands: nearer than a second cannot be told by when messages come. */
export type ClockWord = 'unknown' | 'unset' | 'right' | 'ahead' | 'behind'

export function clockWord({ clock }: Pick<FleetEdge, 'clock'>): ClockWord {
  if (clock.synchronized === false) return 'unset'
  if (clock.offset_ms === null) return 'unknown'
  if (Math.abs(clock.offset_ms) < SECOND) return 'right'
  return clock.offset_ms > 0 ? 'ahead' : 'behind'
}

/** Whether an edge runs on the site file that it was handed: where it was handed none, on its own. */
export type SiteWord = 'unknown' | 'own' | 'wanted' | 'waiting' | 'refused'

export function siteWord({ site_version: version, site_wanted: wanted, site_refused: refused }: Pick<FleetEdge, 'site_version' | 'site_wanted' | 'site_refused'>): SiteWord {
  if (refused) return 'refused'
  if (wanted === null) return version === null ? 'unknown' : 'own'
  return version === wanted ? 'wanted' : 'waiting'
}

/** The load of the busiest line; null where none is told. */
export const busiest = ({ lines }: Pick<FleetEdge, 'lines'>): number | null => (lines.length ? Math.max(...lines.map((line) => line.load)) : null)

/** A version as a person compares it: of NUMBER-DIGEST, or a digest alone, the beginning of the digest is enough. */
export const shortVersion = (version: string): string => /^(?:\d+-)?([0-9a-f]{8})[0-9a-f]{4,}$/.exec(version)?.[1] ?? version

/** Those that are gone first, then those with which something is wrong, each in the order of their names. */
export function worstFirst<E extends Pick<FleetEdge, 'edge' | 'state' | 'problems' | 'meters_silent'>>(edges: readonly E[]): E[] {
  const turn = (one: E): number => (one.state === 'offline' ? 0 : one.problems.length ? 1 : one.meters_silent.length ? 2 : 3)
  return [...edges].sort((a, b) => turn(a) - turn(b) || a.edge.localeCompare(b.edge))
}

export interface FleetCounts {
  edges: number
  offline: number
  wrong: number
  silent: number
}

export function countsOf(edges: readonly Pick<FleetEdge, 'state' | 'problems' | 'meters_silent'>[]): FleetCounts {
  return {
    edges: edges.length,
    offline: edges.filter((one) => one.state === 'offline').length,
    wrong: edges.filter((one) => one.state === 'online' && one.problems.length).length,
    silent: edges.reduce((sum, one) => sum + one.meters_silent.length, 0),
  }
}

/** Certificates are told a month before they end. */
export const endsSoon = (until: number | null, at: number): boolean => until !== null && until - at < 30 * DAY
