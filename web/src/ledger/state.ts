import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Step } from '../api/ledger'
import type { Medium } from '../api/schema'
import { periodAt, type Range, STEPS } from './calendar'

/** What the pages of the ledger show, as the address says it. */
export interface LedgerState {
  /** METER:QUANTITY or KIND/ID; null for the whole site. */
  of: string | null
  range: Range | null
  /** null: the one that suits the range. */
  by: Step | null
  medium: Medium | null
  /** A factor set; null for the first. */
  factors: string | null
  table: boolean
  /** Share of a main meter that may be unaccounted for; null for the gateway's own. */
  bound: number | null
}

export type StateChange = Partial<LedgerState>

const MEDIA: readonly string[] = ['electricity', 'water', 'gas', 'heat', 'environment']

const text = (query: LocationQuery, key: string): string | null => {
  const value = query[key]
  return (Array.isArray(value) ? value[0] : value) || null
}

function wholeNumber(query: LocationQuery, key: string): number | null {
  const value = text(query, key)
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null
}

const oneOf = <T extends string>(value: string | null, choices: readonly string[]): T | null => (value !== null && choices.includes(value) ? (value as T) : null)

function rangeOf(query: LocationQuery): Range | null {
  const [from, to] = [wholeNumber(query, 'from'), wholeNumber(query, 'to')]
  const grid = 1_800_000
  // The gateway reckons in half hours; what somebody wrote by hand is brought to them.
  return from !== null && to !== null && to - from >= grid ? { from: Math.floor(from / grid) * grid, to: Math.ceil(to / grid) * grid } : null
}

function boundOf(query: LocationQuery): number | null {
  const value = Number(text(query, 'bound') ?? NaN)
  return value >= 0 && value <= 1 ? value : null
}

export function readState(query: LocationQuery): LedgerState {
  return {
    of: text(query, 'of'),
    range: rangeOf(query),
    by: oneOf<Step>(text(query, 'by'), STEPS),
    medium: oneOf<Medium>(text(query, 'medium'), MEDIA),
    factors: text(query, 'factors'),
    table: text(query, 'view') === 'table',
    bound: boundOf(query),
  }
}

/** A query that differs from another in what has changed; what is left to its default is not written. */
export function changedQuery(query: LocationQuery, change: StateChange): LocationQueryRaw {
  const made: LocationQueryRaw = { ...query }
  const set = (key: string, value: string | number | null | undefined): void => {
    made[key] = value === null || value === undefined ? undefined : String(value)
  }
  for (const key of ['of', 'by', 'medium', 'factors', 'bound'] as const) if (key in change) set(key, change[key])
  if ('range' in change) {
    set('from', change.range?.from)
    set('to', change.range?.to)
  }
  if ('table' in change) set('view', change.table ? 'table' : null)
  return made
}

/** Of the site's present month until somebody chooses. */
export const rangeShown = (state: LedgerState, now: number, zone: string): Range => state.range ?? periodAt('month', now, zone)

export const isPoint = (of: string): boolean => !of.includes('/') && of.includes(':')

export const meterOf = (of: string): string | null => {
  if (isPoint(of)) return of.slice(0, of.lastIndexOf(':'))
  return of.startsWith('meter/') ? of.slice('meter/'.length) : null
}
