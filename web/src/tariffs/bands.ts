import type { HalfHour } from '../api/billing'
import { clockTime } from '../format/time'

const HALF_HOUR = 1_800_000

/** Half hours one after another of one band and price. */
export interface Segment {
  from: number
  to: number
  band: string
  price: string | null
}

export function segmentsOf(halfHours: HalfHour[]): Segment[] {
  const made: Segment[] = []
  for (const { at, band, price } of halfHours) {
    const open = made[made.length - 1]
    if (open && open.band === band && open.price === price && open.to === at) open.to = at + HALF_HOUR
    else made.push({ from: at, to: at + HALF_HOUR, band, price })
  }
  return made
}

/** From the dearest to the cheapest, as they are drawn; any other word after them. */
const BANDS = ['sharp', 'peak', 'flat', 'valley', 'deep_valley', 'none']

/** How strongly a band is filled: the dearer, the darker. */
export const STRENGTH: Record<string, number> = { sharp: 1, peak: 0.75, flat: 0.45, none: 0.45, valley: 0.22, deep_valley: 0.1 }

export interface BandTime {
  band: string
  price: string | null
  times: string[]
}

/** The times of each band and price: what a notice of a tariff says. */
export function bandTimes(segments: Segment[], zone: string): BandTime[] {
  const made = new Map<string, BandTime>()
  for (const { from, to, band, price } of segments) {
    const key = `${band} ${price ?? ''}`
    const entry = made.get(key) ?? { band, price, times: [] }
    const end = clockTime(to, zone).slice(0, 5)
    entry.times.push(`${clockTime(from, zone).slice(0, 5)}–${end === '00:00' ? '24:00' : end}`)
    made.set(key, entry)
  }
  const rank = ({ band }: BandTime): number => (BANDS.includes(band) ? BANDS.indexOf(band) : BANDS.length)
  return [...made.values()].sort((a, b) => rank(a) - rank(b))
}

/** A price without the zeros that say nothing, but with cents. */
export function priceText(price: string): string {
  const [whole = '0', rest = ''] = price.split('.')
  return `${whole}.${rest.replace(/0+$/, '').padEnd(2, '0')}`
}
