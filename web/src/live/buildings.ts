import type { Medium, Overview, Place, Total } from '../api/schema'

export interface BuildingColumn {
  medium: Medium
  quantity: string
  unit: string
  /** The largest value among the buildings, by which the bars are drawn. */
  largest: number
}

export interface BuildingRow {
  place: Place
  /** In the order of the columns. */
  totals: (Total | undefined)[]
}

export interface BuildingSheet {
  columns: BuildingColumn[]
  rows: BuildingRow[]
}

const same = (a: { medium: Medium; quantity: string }, b: { medium: Medium; quantity: string }): boolean =>
  a.medium === b.medium && a.quantity === b.quantity

/** A row for every building that has main meters, a column for every medium of the campus. */
export function buildingSheet(places: Place[], overview: Overview): BuildingSheet {
  const all = overview.places.flatMap(({ media }) => media)
  const kinds = [...new Map([...overview.media, ...all].map((total) => [`${total.medium} ${total.quantity}`, total])).values()]
  const columns = kinds
    .filter((kind) => all.some((total) => same(total, kind)))
    .map(({ medium, quantity, unit }) => ({
      medium,
      quantity,
      unit,
      largest: Math.max(0, ...all.filter((total) => same(total, { medium, quantity })).map(({ value }) => value ?? 0)),
    }))
  const byPlace = new Map(overview.places.map(({ place, media }) => [place, media]))
  const rows = places.flatMap((place) => {
    const media = byPlace.get(place.id)
    return media?.length ? [{ place, totals: columns.map((column) => media.find((total) => same(total, column))) }] : []
  })
  return { columns, rows }
}
