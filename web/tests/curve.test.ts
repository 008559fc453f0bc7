import { expect, test } from 'vitest'
import type { SeriesAnswer } from '../src/api/schema'
import { type Curve, curvesOf, drawnRows, extent, lastDrawn, mergeLive, rowAt, trim } from '../src/curves/curve'
import { piecesOf } from '../src/curves/options'

const SECOND = 1000

function answer(step: number | null, t: number[], mean: (number | null)[], to: number): SeriesAnswer {
  const gauge = { point: 'm:p', unit: 'kW', kind: 'gauge' as const, step_ms: step, t, min: [...mean], mean, max: [...mean], first: [], last: [], uncertain: false }
  return { from: 0, to, step_ms: step, series: [gauge] }
}

function curve(step: number | null, t: number[], mean: (number | null)[], to = Infinity): Curve {
  const [first] = curvesOf(answer(step, t, mean, to))
  if (!first) throw new Error('no curve')
  return first
}

test('a live reading moves the end of a raw curve', () => {
  const raw = curve(null, [0, 1000], [5, 6])

  expect(mergeLive(raw, ['m:p', 2000, 7, 'good'], 3 * SECOND)).toBe('drawn')
  expect(raw.t).toEqual([0, 1000, 2000])
  expect(raw.mid).toEqual([5, 6, 7])
  expect(lastDrawn(raw)).toBe(2000)
})

test('a reading that is drawn already is not drawn twice', () => {
  const raw = curve(null, [0, 1000], [5, 6])

  expect(mergeLive(raw, ['m:p', 1000, 6, 'good'], 3 * SECOND)).toBe('known')
  expect(mergeLive(raw, ['m:p', 0, 5, 'good'], 3 * SECOND)).toBe('known')
  expect(raw.t).toEqual([0, 1000])
})

test('a reading that arrives late is left to the gateway', () => {
  const raw = curve(null, [0, 2000], [5, 6])

  expect(mergeLive(raw, ['m:p', 1000, 9, 'good'], 3 * SECOND)).toBe('late')
  expect(raw.mid).toEqual([5, 6])
})

test('silence leaves a gap that no line crosses', () => {
  const raw = curve(null, [0, 1000], [5, 6])

  mergeLive(raw, ['m:p', 60_000, 7, 'good'], 3 * SECOND)

  expect(raw.mid).toEqual([5, 6, null, 7])
  expect(piecesOf(raw)).toEqual([
    [0, 1],
    [3, 3],
  ])
})

test('a bad or empty reading is a gap and not a zero', () => {
  const raw = curve(null, [0], [5])

  mergeLive(raw, ['m:p', 1000, 99, 'bad'], 3 * SECOND)
  mergeLive(raw, ['m:p', 2000, null, 'good'], 3 * SECOND)

  expect(raw.mid).toEqual([5, null, null])
  expect(drawnRows(raw)).toBe(1)
  expect(extent(raw, 0, 3000)).toEqual([5, 5])
})

test('a gap of the gateway stays one', () => {
  const reduced = curve(1000, [0, 1000, 5000], [5, null, 7])

  expect(piecesOf(reduced)).toEqual([
    [0, 0],
    [2, 2],
  ])
  expect(rowAt(reduced, 1500, Infinity)).toBeNull()
  expect(rowAt(reduced, 3000, Infinity)).toBeNull()
  expect(rowAt(reduced, 5500, 1000)).toBe(2)
  expect(rowAt(reduced, 7000, 1000)).toBeNull()
})

test('the running step takes a live reading by the time it covers, and keeps its peak', () => {
  const reduced = curve(60_000, [0, 60_000], [10, 20], 90_000)

  mergeLive(reduced, ['m:p', 120_000 - 1, 50, 'good'], 3 * SECOND)

  expect(reduced.t).toHaveLength(2)
  expect(reduced.mid[1]).toBeCloseTo(35, 1)
  expect(reduced.high[1]).toBe(50)
  expect(reduced.low[1]).toBe(20)
})

test('a live reading of the next step begins a row on the grid of the curve', () => {
  const reduced = curve(60_000, [30_000, 90_000], [10, 20], 140_000)

  mergeLive(reduced, ['m:p', 155_000, 30, 'good'], 3 * SECOND)

  expect(reduced.t).toEqual([30_000, 90_000, 150_000])
  expect(reduced.mid[2]).toBe(30)
})

test('a meter read more seldom than the step has no gaps', () => {
  const seldom = curve(60_000, [0, 900_000], [10, 20], 960_000)

  mergeLive(seldom, ['m:p', 1_800_000, 30, 'good'], 3 * 900 * SECOND)

  expect(seldom.t).toEqual([0, 900_000, 1_800_000])
  expect(rowAt(seldom, 600_000, 0)).toBe(0)
})

test('silence leaves a gap in a reduced curve too', () => {
  const reduced = curve(60_000, [0, 60_000], [10, 20], 120_000)

  mergeLive(reduced, ['m:p', 600_000, 30, 'good'], 3 * SECOND)

  expect(reduced.mid).toEqual([10, 20, null, 30])
})

test('a raw curve and a reduced one may come in one answer', () => {
  const gauge = answer(60_000, [0], [1], 60_000).series[0]
  if (!gauge) throw new Error('no series')
  const curves = curvesOf({ from: 0, to: 60_000, step_ms: 60_000, series: [gauge, { ...gauge, step_ms: null }] })

  expect(curves.map(({ stepMs }) => stepMs)).toEqual([60_000, null])
})

test('a counter is drawn by its register at the end of each step', () => {
  const series = { point: 'm:e', unit: 'kWh', kind: 'counter' as const, step_ms: 1000, t: [0, 1000], min: [], mean: [], max: [], first: [1, 2], last: [2, 3], uncertain: false }
  const [counter] = curvesOf({ from: 0, to: 2000, step_ms: 1000, series: [series] })

  expect(counter?.mid).toEqual([2, 3])
})

test('the cursor reads the nearer raw reading, and nothing in a gap or beyond the end', () => {
  const raw = curve(null, [0, 10_000, 15_000, 20_000], [5, 6, null, 7])

  expect(rowAt(raw, 6000, 2000)).toBe(1)
  expect(rowAt(raw, 11_000, 2000)).toBe(1)
  expect(rowAt(raw, 13_000, 2000)).toBeNull()
  expect(rowAt(raw, 21_000, 2000)).toBe(3)
  expect(rowAt(raw, 23_000, 2000)).toBeNull()
})

test('an uncertain reading is remembered as such', () => {
  const raw = curve(null, [0], [5])

  mergeLive(raw, ['m:p', 1000, 6, 'uncertain'], 3 * SECOND)

  expect([...raw.uncertainAt]).toEqual([1000])
})

test('rows that left the screen long ago are forgotten', () => {
  const raw = curve(null, [0, 1000, 2000, 3000], [1, 2, 3, 4])

  trim(raw, 2500)

  expect(raw.t).toEqual([2000, 3000])
  expect(raw.mid).toEqual([3, 4])
})
