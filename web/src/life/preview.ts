/** What changes; null where one of both is unknown. */
export const differenceOf = (before: number | null, after: number | null): number | null => (before === null || after === null ? null : Math.round((after - before) * 1e6) / 1e6)

/** A difference with its sign; a dash where there is none to tell. */
export function signed(value: number | null, say: (size: number) => string): string {
  if (value === null) return '—'
  return `${value > 0 ? '+' : value < 0 ? '−' : '±'}${say(Math.abs(value))}`
}
