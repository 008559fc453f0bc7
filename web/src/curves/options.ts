import type { CustomSeriesOption, LineSeriesOption } from 'echarts/charts'
import type { DataZoomComponentOption, GridComponentOption } from 'echarts/components'
import type { XAXisComponentOption, YAXisComponentOption } from 'echarts'
import type { ComposeOption } from 'echarts/core'
import { number, type Language, unitSign } from '../format/number'
import { type Curve, extent, firstAfter, hasValue } from './curve'
import type { Layout, Plot } from './layout'
import { digitsOf, tickLabel, type TickScale, type ValueRange, type ValueScale, valueScales } from './ticks'
import { LONGEST_MS, SHORTEST_MS, type TimeWindow } from './window'

export type CurveOption = ComposeOption<
  LineSeriesOption | CustomSeriesOption | GridComponentOption | DataZoomComponentOption
>

export interface Ink {
  text: string
  strong: string
  line: string
  grid: string
  font: string
}

export interface DrawnCurve {
  curve: Curve
  colour: string
  dash: number[]
}

export interface Drawing {
  curves: DrawnCurve[]
  layout: Layout
  window: TimeWindow
  now: number
  zone: string
  language: Language
  ticks: TickScale
  ink: Ink
}

/** How far back one can pan. */
const REACH_MS = 2 * LONGEST_MS
const PX_PER_SPLIT = 48

export function optionOf(drawing: Drawing): CurveOption {
  return { animation: false, textStyle: { fontFamily: drawing.ink.font }, ...axesOf(drawing), grid: gridsOf(drawing.layout), series: drawing.curves.flatMap((drawn) => seriesOf(drawn, drawing)) }
}

function gridsOf({ left, width, plots }: Layout): GridComponentOption[] {
  return plots.map(({ top, height }, index) => ({ id: `plot ${index}`, left, width, top, height, outerBoundsMode: 'none' }))
}

/** All that changes when only the window moves. */
export function axesOf(drawing: Drawing): CurveOption {
  const { layout, window } = drawing
  return {
    xAxis: layout.plots.map((_, index) => timeAxis(drawing, index)),
    yAxis: layout.plots.flatMap((plot, index) => valueAxes(drawing, plot, index)),
    dataZoom: [
      {
        id: 'time',
        type: 'inside',
        xAxisIndex: layout.plots.map((_, index) => index),
        filterMode: 'none',
        throttle: 0,
        preventDefaultMouseMove: false,
        minValueSpan: SHORTEST_MS,
        maxValueSpan: LONGEST_MS,
        startValue: window.from,
        endValue: window.to,
      },
    ],
  }
}

function timeAxis({ layout, window, now, zone, ticks, ink }: Drawing, index: number): XAXisComponentOption {
  const lowest = index === layout.plots.length - 1
  return {
    id: `time ${index}`,
    type: 'value',
    gridIndex: index,
    min: now - REACH_MS,
    max: Math.max(now, window.to),
    axisLine: { show: true, onZero: false, lineStyle: { color: ink.line } },
    axisTick: { show: lowest, customValues: ticks.ticks, lineStyle: { color: ink.line } },
    splitLine: { show: true, lineStyle: { color: ink.grid } },
    axisLabel: {
      show: lowest,
      customValues: ticks.ticks,
      hideOverlap: true,
      color: ink.text,
      fontSize: 11,
      rich: { strong: { color: ink.strong, fontWeight: 600, fontSize: 11 } },
      formatter: (at: number) => {
        const { text, strong } = tickLabel(at, ticks.stepMs, zone)
        return strong ? `{strong|${text}}` : text
      },
    },
  }
}

function valueAxes(drawing: Drawing, { units, height }: Plot, grid: number): YAXisComponentOption[] {
  const splits = Math.max(2, Math.round(height / PX_PER_SPLIT))
  const ranges = units.map((unit) => rangeOf(drawing, unit))
  const scales = valueScales(ranges.map((range) => range ?? EMPTY), splits)
  return units.map((unit, side) => valueAxis(drawing, unit, grid, side, scales[side] ?? { min: 0, max: 1, interval: 1 }, ranges[side] != null))
}

function valueAxis({ ink, language }: Drawing, unit: string, grid: number, side: number, { min, max, interval }: ValueScale, labelled: boolean): YAXisComponentOption {
  const digits = digitsOf(interval)
  return {
    id: `value ${unit}`,
    type: 'value',
    gridIndex: grid,
    position: side === 0 ? 'left' : 'right',
    name: unitSign(unit),
    nameLocation: 'end',
    nameGap: 10,
    nameTextStyle: { color: ink.text, fontSize: 11, align: side === 0 ? 'right' : 'left', padding: side === 0 ? [0, 8, 0, 0] : [0, 0, 0, 8] },
    min,
    max,
    interval,
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: side === 0, lineStyle: { color: ink.grid } },
    axisLabel: { show: labelled, color: ink.text, fontSize: 11, formatter: (value: number) => number(value, language, digits) },
  }
}

const EMPTY: ValueRange = { low: 0, high: 1, fromZero: true }

/** null where nothing is drawn: an axis without values has no figures. */
function rangeOf({ curves, window }: Drawing, unit: string): ValueRange | null {
  const mine = curves.filter(({ curve }) => curve.unit === unit)
  const extents = mine.map(({ curve }) => extent(curve, window.from, window.to)).filter((found) => found !== null)
  if (extents.length === 0) return null
  return {
    low: Math.min(...extents.map(([low]) => low)),
    high: Math.max(...extents.map(([, high]) => high)),
    fromZero: mine.every(({ curve }) => curve.kind === 'gauge'),
  }
}

function seriesOf(drawn: DrawnCurve, drawing: Drawing): (LineSeriesOption | CustomSeriesOption)[] {
  const { unit, stepMs, kind } = drawn.curve
  const { layout } = drawing
  const units = layout.plots.flatMap((plot) => plot.units)
  const axes = {
    xAxisIndex: layout.plots.findIndex((plot) => plot.units.includes(unit)),
    yAxisIndex: units.indexOf(unit),
    silent: true,
  }
  const series: (LineSeriesOption | CustomSeriesOption)[] = [{ ...axes, ...lineOf(drawn, drawing) }]
  if (stepMs !== null && kind === 'gauge') series.unshift({ ...axes, ...bandOf(drawn) })
  const dots = dotsOf(drawn)
  return dots ? [...series, { ...axes, ...dots }] : series
}

/** Rows per pixel above which a line is drawn as thin as it can be: quicker, and less of a smear. */
const DENSE = 0.8

function lineOf({ curve, colour, dash }: DrawnCurve, { window, layout }: Drawing): LineSeriesOption {
  const rows = firstAfter(curve.t, window.to) - firstAfter(curve.t, window.from)
  return {
    id: `line ${curve.point}`,
    type: 'line',
    data: curve.t.map((at, index) => [at, curve.mid[index] ?? null] as [number, number]),
    step: curve.kind === 'counter' ? 'end' : false,
    showSymbol: false,
    connectNulls: false,
    emphasis: { disabled: true },
    lineStyle: { color: colour, width: rows > layout.width * DENSE ? 1 : 1.6, type: dash.length ? dash : 'solid', join: 'bevel' },
    itemStyle: { color: colour },
    z: 3,
  }
}

/** Filling one long polygon costs a canvas far more than filling its parts. */
const BAND_ROWS = 48

/** From the lowest to the highest reading of every step, never across a gap. */
function bandOf({ curve, colour }: DrawnCurve): CustomSeriesOption {
  const pieces = piecesOf(curve).flatMap(([begin, end]) => cut(begin, end))
  return {
    id: `band ${curve.point}`,
    type: 'custom',
    clip: true,
    z: 2,
    data: pieces.map(([begin]) => [curve.t[begin] ?? 0, curve.mid[begin] ?? 0]),
    renderItem: ({ dataIndex }, api) => {
      const [begin, end] = pieces[dataIndex] ?? [0, 0]
      const [x0 = 0, y0 = 0] = api.coord([0, 0])
      const [t1, v1] = [curve.t[end] ?? 1, 1]
      const [x1 = 0, y1 = 0] = api.coord([t1, v1])
      const place = (index: number, value: number | null | undefined): [number, number] => [
        x1 + (((curve.t[index] ?? 0) - t1) * (x1 - x0)) / t1,
        y0 + (value ?? 0) * (y1 - y0),
      ]
      const points: [number, number][] = []
      for (let index = begin; index <= end; index++) points.push(place(index, curve.high[index]))
      for (let index = end; index >= begin; index--) points.push(place(index, curve.low[index]))
      return { type: 'polygon', shape: { points }, style: { fill: colour, opacity: 0.22 } }
    },
  }
}

function cut(begin: number, end: number): [number, number][] {
  const parts: [number, number][] = []
  for (let from = begin; from < end; from += BAND_ROWS) parts.push([from, Math.min(end, from + BAND_ROWS)])
  return parts
}

/** Stretches of rows without a gap, as first and last index. */
export function piecesOf(curve: Curve): [number, number][] {
  const pieces: [number, number][] = []
  let begin = -1
  for (let index = 0; index <= curve.t.length; index++) {
    const drawn = index < curve.t.length && hasValue(curve, index)
    if (drawn && begin < 0) begin = index
    if (!drawn && begin >= 0) {
      pieces.push([begin, index - 1])
      begin = -1
    }
  }
  return pieces
}

/** A reading alone between two gaps has no line to be seen by; an uncertain one is ringed. */
function dotsOf({ curve, colour }: DrawnCurve): LineSeriesOption | null {
  const alone = piecesOf(curve).filter(([begin, end]) => begin === end).map(([begin]) => begin)
  const doubtful = new Set([...curve.uncertainAt].map((at) => curve.t.indexOf(at)).filter((index) => index >= 0))
  const rows = [...new Set([...alone, ...doubtful])]
  if (rows.length === 0) return null
  return {
    id: `dots ${curve.point}`,
    type: 'line',
    data: rows.map((index) => ({
      value: [curve.t[index] ?? 0, curve.mid[index] ?? 0],
      symbol: doubtful.has(index) ? 'emptyCircle' : 'circle',
    })),
    symbolSize: 5,
    lineStyle: { opacity: 0 },
    itemStyle: { color: colour },
    emphasis: { disabled: true },
    z: 4,
  }
}
