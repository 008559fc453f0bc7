import { CustomChart, LineChart } from 'echarts/charts'
import { DataZoomInsideComponent, GridComponent } from 'echarts/components'
import { type EChartsType, init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { last } from '../format/last'
import type { Language } from '../format/number'
import { type Layout, layoutOf } from './layout'
import { axesOf, type DrawnCurve, type Drawing, type Ink, optionOf } from './options'
import { type TickScale, timeTicks } from './ticks'
import type { TimeWindow } from './window'

use([LineChart, CustomChart, GridComponent, DataZoomInsideComponent, CanvasRenderer])

const PX_PER_TICK = 58

/** `atEnd`: the window touches the present, further right there is nothing. */
export type Gesture = (from: number, to: number, atEnd: boolean) => void

export interface Scene {
  curves: DrawnCurve[]
  window: TimeWindow
  now: number
  zone: string
  language: Language
  ink: Ink
}

/** The canvas: draws a scene, and tells of the window that wheel and drag have made. */
export class CurveCanvas {
  #chart: EChartsType
  #scene: Scene | null = null
  #ticks: TickScale | null = null
  #layout: Layout
  #onGesture: Gesture

  constructor(element: HTMLElement, onGesture: Gesture) {
    this.#chart = init(element)
    this.#layout = layoutOf([''], element.clientWidth, element.clientHeight)
    this.#onGesture = onGesture
    this.#chart.on('datazoom', () => this.#tellWindow())
  }

  get layout(): Layout {
    return this.#layout
  }

  draw(scene: Scene): void {
    this.#scene = scene
    const units = [...new Set(scene.curves.map(({ curve }) => curve.unit))]
    this.#layout = layoutOf(units.length ? units : [''], this.#chart.getWidth(), this.#chart.getHeight())
    this.#chart.setOption(optionOf(this.#drawing(scene)), { replaceMerge: ['grid', 'xAxis', 'yAxis', 'series'] })
  }

  /** Moves to another window without touching the data. */
  move(window: TimeWindow, now: number): void {
    if (!this.#scene) return
    const before = this.#scene.window
    this.#scene = { ...this.#scene, window, now }
    const gesture = window.from === before.from && window.to === before.to
    if (gesture && this.#ticksSuffice()) return
    this.#chart.setOption(axesOf(this.#drawing(this.#scene)))
  }

  resize(): void {
    this.#chart.resize()
    if (this.#scene) this.draw(this.#scene)
  }

  dispose(): void {
    this.#chart.dispose()
  }

  #drawing(scene: Scene): Drawing {
    this.#ticks = this.#freshTicks(scene)
    return { ...scene, layout: this.#layout, ticks: this.#ticks }
  }

  #freshTicks({ window, zone }: Scene): TickScale {
    return timeTicks(window.from, window.to, zone, this.#layout.width / PX_PER_TICK)
  }

  #ticksSuffice(): boolean {
    if (!this.#scene || !this.#ticks) return false
    const { window } = this.#scene
    const { ticks, stepMs } = this.#ticks
    const [first, end] = [ticks[0] ?? Infinity, last(ticks) ?? -Infinity]
    const covered = first <= window.from + stepMs && end >= window.to - stepMs
    return covered && this.#freshTicks(this.#scene).stepMs === stepMs
  }

  #tellWindow(): void {
    if (!this.#scene) return
    const { left, width } = this.#layout
    const from = Number(this.#chart.convertFromPixel({ xAxisIndex: 0 }, left))
    const to = Number(this.#chart.convertFromPixel({ xAxisIndex: 0 }, left + width))
    const atEnd = to >= this.#scene.now - (to - from) / width / 2
    this.#scene = { ...this.#scene, window: { from, to, follow: false } }
    this.#onGesture(from, to, atEnd)
  }
}
