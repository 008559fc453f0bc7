import type { EventKind, MeterEvent } from '../api/ledger'
import { instantOf } from '../format/time'

export const KINDS: readonly EventKind[] = ['exchanged', 'manual', 'faulty', 'ratio_changed', 'installed', 'removed', 'moved', 'readdressed', 'calibrated']

/** What a form asks for besides time, note, photo, who and why; just what the kind can use. */
export type Field = 'until' | 'quantity' | 'final_register' | 'initial_register' | 'ratio' | 'place' | 'address'

const FIELDS: Record<EventKind, Field[]> = {
  installed: [],
  removed: [],
  exchanged: ['quantity', 'final_register', 'initial_register'],
  ratio_changed: ['quantity', 'ratio', 'final_register', 'initial_register'],
  readdressed: ['address'],
  moved: ['place'],
  faulty: ['until'],
  calibrated: [],
  manual: ['quantity', 'final_register'],
}

export const fieldsOf = (kind: EventKind): readonly Field[] => FIELDS[kind]

/** A form as it is filled in. Times are wall clocks of the site, as the browser's control writes them. */
export interface Draft {
  kind: EventKind
  at: string
  until: string
  quantity: string
  final_register: string
  initial_register: string
  ratio: string
  place: string
  address: string
  note: string
  photo: string
  who: string
  why: string
}

export const emptyDraft = (kind: EventKind = 'exchanged'): Draft => ({
  kind,
  at: '',
  until: '',
  quantity: '',
  final_register: '',
  initial_register: '',
  ratio: '',
  place: '',
  address: '',
  note: '',
  photo: '',
  who: '',
  why: '',
})

export type Need = 'at' | 'until' | 'place' | 'address' | 'ratio' | 'registers' | 'register' | 'number' | 'who' | 'why'
export type Faults = Partial<Record<Field | 'at' | 'who' | 'why', Need>>

/** The instant that a wall clock of the site shows; null where it is none. */
export function instantOfWall(text: string, zone: string): number | null {
  const wall = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(`${text}${text.length === 16 ? ':00' : ''}Z`) : NaN
  return Number.isFinite(wall) ? instantOf(wall, zone) : null
}

/** A number as people write it: with a comma or thin spaces between thousands, full-width digits. */
export function numberOf(text: string): number | null {
  const plain = text
    .replace(/[\uff10-\uff19]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/[\s,，\u2009\u202f]/g, '')
    .replace(/．/g, '.')
  return /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null
}

/** The event that a form says, or what it lacks. */
export function eventOf(draft: Draft, meter: string, zone: string): { event: MeterEvent; faults: null } | { event: null; faults: Faults } {
  const faults = faultsOf(draft, zone)
  if (Object.keys(faults).length) return { event: null, faults }
  const has = (field: Field): boolean => fieldsOf(draft.kind).includes(field) && draft[field].trim() !== ''
  const number = (field: Field): number | null => (has(field) ? numberOf(draft[field]) : null)
  return {
    faults: null,
    event: {
      meter,
      kind: draft.kind,
      at: instantOfWall(draft.at, zone) ?? 0,
      until: has('until') ? instantOfWall(draft.until, zone) : null,
      quantity: has('quantity') ? draft.quantity : null,
      final_register: number('final_register'),
      initial_register: number('initial_register'),
      ratio: number('ratio'),
      place: has('place') ? draft.place : null,
      address: has('address') ? draft.address.trim() : null,
      note: draft.note.trim(),
      photo: draft.photo.trim() || null,
    },
  }
}

function faultsOf(draft: Draft, zone: string): Faults {
  const faults: Faults = {}
  const fields = fieldsOf(draft.kind)
  const given = (field: Field): boolean => draft[field].trim() !== ''
  const at = instantOfWall(draft.at, zone)
  if (at === null) faults.at = 'at'
  for (const field of ['final_register', 'initial_register', 'ratio'] as const) {
    if (fields.includes(field) && given(field) && numberOf(draft[field]) === null) faults[field] = 'number'
  }
  if (fields.includes('until')) {
    const until = instantOfWall(draft.until, zone)
    if (until === null || (at !== null && until <= at)) faults.until = 'until'
  }
  for (const field of ['place', 'address'] as const) if (fields.includes(field) && !given(field)) faults[field] = field
  Object.assign(faults, registerFaults(draft, given), faults)
  for (const field of ['who', 'why'] as const) if (!draft[field].trim()) faults[field] = field
  return faults
}

function registerFaults({ kind, ratio }: Draft, given: (field: Field) => boolean): Faults {
  if (kind === 'manual') return given('final_register') ? {} : { final_register: 'register' }
  if (kind !== 'exchanged' && kind !== 'ratio_changed') return {}
  if (given('final_register') !== given('initial_register')) return { [given('final_register') ? 'initial_register' : 'final_register']: 'registers' }
  if (kind === 'exchanged') return {}
  const factor = numberOf(ratio)
  return (given('ratio') && factor !== null && factor <= 0) || (!given('ratio') && !given('final_register')) ? { ratio: 'ratio' } : {}
}
