import type { Figure, Part } from '../api/ledger'
import { cell } from '../curves/rows'
import { isoTime } from '../format/time'
import type { ClosedMark } from './closed'
import { WAYS, type Way } from './shares'

export interface SheetWords {
  from: string
  to: string
  part: string
  value: string
  estimated: string
  cost: string
  closed: string
  ways: Record<Way, string>
}

const heads = (unit: string, words: SheetWords): string[] =>
  [`${words.value} [${unit}]`, `${words.estimated} [${unit}]`, words.cost, ...WAYS.map((way) => words.ways[way])].map(cell)

/** Every digit of a figure; nothing where nothing is known. */
const cells = ({ value, estimated, cost, shares }: Figure): string[] => [value === null ? '' : String(value), String(estimated), cost ?? '', ...WAYS.map((way) => String(shares[way]))]

export function periodLines(edges: number[], figures: Figure[], unit: string, zone: string, words: SheetWords, closed: (ClosedMark | null)[] = []): string[][] {
  const any = closed.some(Boolean)
  const rows = figures.map((figure, index) => [isoTime(edges[index] ?? 0, zone), isoTime(edges[index + 1] ?? 0, zone), ...cells(figure), ...(any ? [String(closed[index]?.value ?? '')] : [])])
  return [[words.from, words.to, ...heads(unit, words), ...(any ? [cell(`${words.closed} [${unit}]`)] : [])], ...rows]
}

/** Parts and what they do not account for; a rest has no name of its own and is given one. */
export function partLines(parts: { name: string; of: Part['of']; figure: Figure }[], unit: string, words: SheetWords): string[][] {
  return [[words.part, 'ID', ...heads(unit, words)], ...parts.map(({ name, of, figure }) => [cell(name), cell(of), ...cells(figure)])]
}
