import type { Figure } from '../api/ledger'
import { valueScales } from '../curves/ticks'
import type { ClosedMark } from './closed'

/** What a bar is drawn from. */
export interface Bar {
  from: number
  to: number
  name: string
  tick: { text: string; strong: boolean }
  figure: Figure
  closed?: ClosedMark | null
}

export interface BarShape {
  x: number
  width: number
  /** What is measured or entered by hand, and above it what is estimated; null where nothing is known. */
  solid: { y: number; height: number } | null
  estimated: { y: number; height: number } | null
  /** Of the time of which nothing is booked: a strip hanging from the top, as high as its share. */
  missing: { y: number; height: number } | null
  disputed: { y: number; height: number } | null
}

export interface ValueAxis {
  min: number
  max: number
  ticks: number[]
  y(value: number): number
}

export const valueAxis = (figures: Figure[], height: number): ValueAxis => axisOf(figures.map(({ value }) => value), height)

export function axisOf(all: (number | null)[], height: number): ValueAxis {
  const values = all.filter((value): value is number => value !== null)
  const range = { low: Math.min(0, ...values), high: Math.max(0, ...values), fromZero: true }
  if (range.low === range.high) range.high = 1
  const [scale = { min: 0, max: 1, interval: 1 }] = valueScales([range], Math.max(2, Math.round(height / 52)))
  const { min, max, interval } = scale
  const ticks = Array.from({ length: Math.round((max - min) / interval) + 1 }, (_, index) => min + index * interval)
  return { min, max, ticks, y: (value) => height - ((value - min) / (max - min)) * height }
}

/** Bars side by side over a width, their parts from the axis outwards. */
export function barShapes(figures: Figure[], width: number, axis: ValueAxis): BarShape[] {
  const slot = width / Math.max(1, figures.length)
  const gap = slot > 6 ? Math.min(12, slot * 0.25) : slot > 3 ? 1 : 0
  return figures.map(({ value, estimated, shares }, index) => ({
    x: index * slot + gap / 2,
    width: Math.max(0.5, slot - gap),
    ...parts(value, estimated, axis),
    missing: hanging(0, shares.missing, axis),
    disputed: hanging(shares.missing, shares.disputed, axis),
  }))
}

/** However small, it is seen. */
const LEAST_PX = 5

function hanging(above: number, share: number, { min, y }: ValueAxis): { y: number; height: number } | null {
  const height = y(min)
  return share > 0 ? { y: Math.min(above * height, height - LEAST_PX), height: Math.max(LEAST_PX, share * height) } : null
}

function parts(value: number | null, estimated: number, axis: ValueAxis): Pick<BarShape, 'solid' | 'estimated'> {
  if (value === null) return { solid: null, estimated: null }
  const sure = Math.abs(estimated) >= Math.abs(value) ? 0 : value - Math.sign(value) * Math.abs(estimated)
  return { solid: between(0, sure, axis), estimated: estimated ? between(sure, value, axis) : null }
}

function between(a: number, b: number, axis: ValueAxis): { y: number; height: number } {
  const [top, bottom] = [axis.y(Math.max(a, b)), axis.y(Math.min(a, b))]
  return { y: top, height: bottom - top }
}

/** Which bars bear a tick: every nth, so that none touches the next; a beginning of a longer period before others. */
export function tickedBars(bars: Pick<Bar, 'tick'>[], width: number, px = 44): number[] {
  const most = Math.max(1, Math.floor(width / px))
  if (bars.length <= most) return bars.map((_, index) => index)
  const strong = bars.flatMap(({ tick }, index) => (tick.strong ? [index] : []))
  if (strong.length > 1 && bars.length / strong.length >= bars.length / most) return everyNth(strong, Math.ceil(strong.length / most))
  return everyNth(bars.map((_, index) => index), Math.ceil(bars.length / most))
}

const everyNth = (list: number[], n: number): number[] => list.filter((_, index) => index % n === 0)
