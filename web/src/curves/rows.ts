import type { Kind } from '../api/schema'
import { isoTime } from '../format/time'
import { type Curve, firstAfter, hasValue } from './curve'
import type { NamedCurve } from './named'

export interface Column {
  point: string
  name: string
  unit: string
  kind: Kind
  curve: Curve
}

/** Curves as columns of a table, under the names by which they are drawn. */
export const columnsOf = (curves: NamedCurve[]): Column[] => curves.map(({ curve, name }) => ({ curve, name, point: curve.point, unit: curve.unit, kind: curve.kind }))

export interface Row {
  at: number
  /** Index of the row in each column's curve; null where that curve has none at that time. */
  index: (number | null)[]
}

/** The rows of several curves between two instants, joined by their time, oldest first. */
export function joinRows(columns: Column[], from: number, to: number): Row[] {
  const rows = new Map<number, Row>()
  columns.forEach(({ curve }, column) => {
    const end = firstAfter(curve.t, to)
    for (let index = firstAfter(curve.t, from - 1); index < end; index++) {
      if (!hasValue(curve, index)) continue
      const at = curve.t[index] ?? 0
      const row = rows.get(at) ?? { at, index: columns.map(() => null) }
      row.index[column] = index
      rows.set(at, row)
    }
  })
  return [...rows.values()].sort((a, b) => a.at - b.at)
}

export interface CsvWords {
  time: string
  mean: string
  min: string
  max: string
  register: string
}

/** Excel takes a leading sign for a formula: such a name is told to be text. */
export function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe
}

function headsOf({ name, unit, kind, curve }: Column, words: CsvWords): string[] {
  const head = `${name} [${unit}]`
  if (kind === 'counter') return [`${head} ${words.register}`]
  return curve.stepMs === null ? [head] : [words.mean, words.min, words.max].map((word) => `${head} ${word}`)
}

function valuesOf({ kind, curve }: Column, index: number | null): string[] {
  const columns = kind === 'counter' || curve.stepMs === null ? [curve.mid] : [curve.mid, curve.low, curve.high]
  return columns.map((values) => (index === null ? '' : String(values[index] ?? '')))
}

/** What the curves show, as a table for a spreadsheet. */
export function csvOf(columns: Column[], rows: Row[], zone: string, words: CsvWords): string {
  const head = [words.time, ...columns.flatMap((column) => headsOf(column, words))].map(cell)
  const body = rows.map(({ at, index }) => [
    isoTime(at, zone),
    ...columns.flatMap((column, position) => valuesOf(column, index[position] ?? null)),
  ])
  return csvLines([head, ...body])
}

/** Lines of a file for a spreadsheet; begins with the mark by which Excel knows UTF-8. */
export function csvLines(lines: string[][]): string {
  return `\uFEFF${lines.map((line) => line.join(',')).join('\r\n')}\r\n`
}
