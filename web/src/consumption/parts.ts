import type { Figure, MediumUse, Part } from '../api/ledger'

export interface PartRow {
  /** null: what the parts do not account for. */
  part: Part | null
  figure: Figure
  /** Of the whole; null where one of them is unknown, or the whole is nothing. */
  share: number | null
}

/** Parts from the largest to the smallest, unknown ones after them, the rest last. */
export function partRows({ total, parts, rest }: Pick<MediumUse, 'total' | 'parts' | 'rest'>): PartRow[] {
  const share = ({ value }: Figure): number | null => (value === null || !total.value ? null : value / total.value)
  const rows: PartRow[] = parts.map((part) => ({ part, figure: part.figure, share: share(part.figure) }))
  rows.sort((a, b) => (b.figure.value ?? -Infinity) - (a.figure.value ?? -Infinity))
  return rest && parts.length ? [...rows, { part: null, figure: rest, share: share(rest) }] : rows
}
