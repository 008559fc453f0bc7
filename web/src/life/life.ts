import type { LocationQuery } from 'vue-router'
import type { EventKind } from '../api/ledger'
import { wallMs } from '../format/time'
import { type Draft, emptyDraft, KINDS } from './fields'

/** What the life of a meter shows, as the address says it. */
export interface LifeState {
  /** The instant that is looked at [ms]. */
  at: number | null
  quantity: string | null
  /** Days shown on either side of it. */
  days: number
  /** The kind of event that is being entered. */
  enter: EventKind | null
  withdrawn: boolean
}

export const DAYS = [2, 14, 60] as const

export function readLife(query: LocationQuery): LifeState {
  const text = (key: string): string | null => {
    const value = query[key]
    return (Array.isArray(value) ? value[0] : value) || null
  }
  const at = text('at')
  const days = Number(text('days'))
  return {
    at: at !== null && /^\d{1,15}$/.test(at) ? Number(at) : null,
    quantity: text('quantity'),
    days: DAYS.find((choice) => choice === days) ?? 14,
    enter: KINDS.find((kind) => kind === text('enter')) ?? null,
    withdrawn: text('withdrawn') === '1',
  }
}

const WHO = 'jieneng.who'

export const rememberedWho = (): string => localStorage.getItem(WHO) ?? ''
export const rememberWho = (who: string): void => localStorage.setItem(WHO, who)

/** A wall clock of the site as the browser's control for it takes it, to the second. */
const wallText = (at: number, zone: string): string => new Date(wallMs(at, zone)).toISOString().slice(0, 19)

/** A form with what is known already: what is looked at, and who entered the last event here. */
export function firstDraft({ at, quantity, enter }: LifeState, zone: string): Draft {
  return { ...emptyDraft(enter ?? 'exchanged'), at: at === null ? '' : wallText(at, zone), quantity: quantity ?? '', who: rememberedWho() }
}
