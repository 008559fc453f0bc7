import type { FuelUse, KeptMove, Move } from '../api/closing'
import { cell } from '../curves/rows'
import { numberOf } from '../life/fields'

/** What the gateway knows as fuels, kinds of moves and units of them. */
export const FUELS = ['diesel', 'petrol', 'coal', 'lpg', 'natural_gas', 'coal_gas', 'kerosene', 'fuel_oil', 'crude_oil'] as const
export const MOVES = ['purchase', 'count', 'used'] as const
export const UNITS = ['L', 'kg', 't', 'm3'] as const

export interface MoveDraft {
  of: string
  fuel: string
  kind: Move['kind']
  day: string
  quantity: string
  unit: string
  amount: string
  note: string
  who: string
  why: string
}

export const emptyMove = (of: string, who: string): MoveDraft => ({ of, fuel: 'diesel', kind: 'purchase', day: '', quantity: '', unit: 'L', amount: '', note: '', who, why: '' })

export type MoveNeed = 'of' | 'day' | 'number' | 'cents' | 'who'
export type MoveFaults = Partial<Record<keyof MoveDraft, MoveNeed>>

/** Decimals as text, without what people write between the digits. */
const decimal = (text: string): string => text.replace(/[\s,，]/g, '')

/** The move that a form says, or what it lacks. Only a purchase costs something. */
export function moveOf(draft: MoveDraft): { move: Move; faults: null } | { move: null; faults: MoveFaults } {
  const faults: MoveFaults = {}
  const cost = draft.kind === 'purchase' ? decimal(draft.amount) : ''
  if (!draft.of) faults.of = 'of'
  if (!/^\d{4}-\d\d-\d\d$/.test(draft.day)) faults.day = 'day'
  const size = numberOf(draft.quantity)
  if (size === null || size < 0) faults.quantity = 'number'
  if (cost && numberOf(cost) === null) faults.amount = 'number'
  else if (/\.\d{3,}$/.test(cost)) faults.amount = 'cents'
  if (!draft.who.trim()) faults.who = 'who'
  if (Object.keys(faults).length) return { move: null, faults }
  const { of, fuel, kind, day, unit } = draft
  return { move: { of, fuel, kind, day, quantity: decimal(draft.quantity), unit, amount: cost || null, note: draft.note.trim() }, faults: null }
}

/** What was used, for a spreadsheet, every digit as it came. */
export function useLines(uses: FuelUse[], head: string[], words: { of(of: string): string; fuel(fuel: string): string; basis(basis: string): string }): string[][] {
  const rows = uses.map((use) => [
    ...[words.of(use.of), words.fuel(use.fuel), use.unit].map(cell),
    use.opening ?? '',
    use.purchased,
    use.closing ?? '',
    use.used ?? '',
    cell(words.basis(use.basis)),
    use.spent ?? '',
    String(use.converted?.coal_kg ?? ''),
    String(use.converted?.co2_kg ?? ''),
  ])
  return [head.map(cell), ...rows]
}

export function moveLines(moves: KeptMove[], head: string[], words: { of(of: string): string; fuel(fuel: string): string; kind(kind: Move['kind']): string }): string[][] {
  const rows = moves.map(({ move, who }) => [move.day, ...[words.of(move.of), words.fuel(move.fuel), words.kind(move.kind)].map(cell), move.quantity, move.unit, move.amount ?? '', cell(move.note ?? ''), cell(who)])
  return [head.map(cell), ...rows]
}
