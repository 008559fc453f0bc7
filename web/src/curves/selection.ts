import { computed, type ComputedRef, type InjectionKey } from 'vue'
import type { Meter } from '../api/schema'
import type { Address } from '../shell/address'
import { type Campus, headlineOf, headlinesOf } from '../site/campus'
import { firstChoice } from '../site/tree'

export const MOST_POINTS = 20

/** The points whose curves are drawn, as the address names them. */
export interface Selection {
  points: ComputedRef<string[]>
  /** Named by the address, but not of this site. */
  unknown: ComputedRef<string[]>
  full: ComputedRef<boolean>
  meterOf(point: string): Meter | undefined
  drawn(meter: Meter): boolean
  toggle(meter: Meter): void
  show(points: string[]): void
  remove(point: string): void
  replace(point: string, by: string): void
}

export const SELECTION: InjectionKey<Selection> = Symbol('selection')

export const quantityOf = (point: string): string => point.slice(point.lastIndexOf(':') + 1)
const meterIdOf = (point: string): string => point.slice(0, point.lastIndexOf(':'))

export function openSelection(campus: Campus, address: Address): Selection {
  const byId = computed(() => new Map(campus.meters.value.map((meter) => [meter.id, meter])))
  const wanted = computed(() => address.points.value ?? headlinesOf(firstChoice(campus.meters.value)))
  const isKnown = (point: string): boolean => byId.value.get(meterIdOf(point))?.quantities.includes(quantityOf(point)) ?? false
  const points = computed(() => [...new Set(wanted.value.filter(isKnown))].slice(0, MOST_POINTS))
  const of = (meter: Meter): string[] => points.value.filter((point) => meterIdOf(point) === meter.id)
  const full = computed(() => points.value.length >= MOST_POINTS)

  const show = (chosen: string[]): void => address.write({ points: [...new Set(chosen)].slice(0, MOST_POINTS) })
  const without = (gone: string[]): string[] => points.value.filter((point) => !gone.includes(point))

  return {
    points,
    unknown: computed(() => wanted.value.filter((point) => !isKnown(point))),
    full,
    meterOf: (point) => byId.value.get(meterIdOf(point)),
    drawn: (meter) => of(meter).length > 0,
    toggle(meter) {
      const mine = of(meter)
      if (mine.length) show(without(mine))
      else {
        const point = headlineOf(meter)
        if (point && !full.value) show([...points.value, point])
      }
    },
    show,
    remove: (point) => show(without([point])),
    replace: (point, by) => show(points.value.map((other) => (other === point ? by : other))),
  }
}
