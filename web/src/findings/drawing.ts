import type { Curve } from '../api/findings'

export interface Size {
  width: number
  height: number
}

export interface Drawing {
  /** Paths in a box of that size; hours of which nothing is known leave gaps. */
  used: string
  expected: string
  band: string
  highest: number
  x(at: number): number
}

const HOUR_MS = 3_600_000

interface Spot {
  x: number
  y: number
}

/** Runs of hours of which something is known, as corners of a path. */
function runs(at: number[], values: (number | null)[], place: (at: number, value: number) => Spot): Spot[][] {
  const found: Spot[][] = []
  let run: Spot[] | null = null
  at.forEach((instant, index) => {
    const value = values[index] ?? null
    if (value === null) {
      run = null
      return
    }
    if (!run) found.push((run = []))
    run.push(place(instant, value), place(instant + HOUR_MS, value))
  })
  return found
}

const line = (spots: Spot[]): string => spots.map(({ x, y }, index) => `${index ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')

/** A curve of a finding as paths: the use of each hour as a step, what was expected, the band of what is usual. */
export function drawn(curve: Curve, { width, height }: Size): Drawing {
  const first = curve.at[0] ?? 0
  const last = (curve.at[curve.at.length - 1] ?? 0) + HOUR_MS
  const known = [...curve.used, ...curve.high].filter((value) => value !== null)
  const highest = Math.max(...known, 1e-9)
  const lowest = Math.min(...known, 0)
  const x = (at: number): number => ((at - first) / Math.max(last - first, 1)) * width
  const place = (at: number, value: number): Spot => ({ x: x(at), y: height - ((value - lowest) / (highest - lowest)) * height })
  const high = runs(curve.at, curve.high, place)
  const low = runs(curve.at, curve.low, place)
  const band = high.map((upper, index) => `${line([...upper, ...(low[index] ?? []).reverse()])}Z`).join('')
  return { used: runs(curve.at, curve.used, place).map(line).join(''), expected: runs(curve.at, curve.expected, place).map(line).join(''), band, highest, x }
}
