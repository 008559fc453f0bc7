import { expect, test } from 'vitest'
import type { Figure, Trees } from '../src/api/ledger'
import { partRows } from '../src/consumption/parts'
import { barShapes, tickedBars, valueAxis } from '../src/ledger/bars'
import { branches, filtered, pathTo, slice, treeOf, visible } from '../src/ledger/nodes'
import { change, comparable, doubtful, incomplete, percent } from '../src/ledger/shares'
import { partLines, periodLines, type SheetWords } from '../src/ledger/sheet'
import { changedQuery, isPoint, meterOf, rangeShown, readState } from '../src/ledger/state'
import { zh } from '../src/i18n/zh'
import { PAGES, queryFor } from '../src/shell/trail'

const SHARES = { measured: 1, estimated: 0, manual: 0, missing: 0, disputed: 0 }
const figure = (value: number | null, more: Partial<Figure> = {}): Figure => ({ value, estimated: 0, cost: null, unpriced: 0, shares: SHARES, ...more })
const node = (of: string, parent: string | null, zh = of) => ({ of, parent, kind: 'building', name: { zh, en: of } })
const NODES = [node('place/campus', null, '园区'), node('place/hall', 'place/campus', '大楼'), node('place/floor', 'place/hall', '一层'), node('place/gym', 'place/campus', '体育馆')]
const TREES: Trees = { places: NODES, organisations: [], items: [], meters: [], virtual: [], accounts: [], factor_sets: [] }

test('what the address says is read, and nonsense in it is left to the default', () => {
  const state = readState({ of: 'place/hall', by: 'day', from: '1793462400000', to: '1796054400000', medium: 'water', factors: 'frozen-2021', view: 'table', bound: '0.05' })
  expect(state).toEqual({ of: 'place/hall', by: 'day', range: { from: 1793462400000, to: 1796054400000 }, medium: 'water', factors: 'frozen-2021', table: true, bound: 0.05 })
  expect(readState({ by: 'minute', from: 'x', to: '5', medium: 'love', bound: '7' })).toEqual({ of: null, by: null, range: null, medium: null, factors: null, table: false, bound: null })
  expect(readState({ from: '5', to: '5' }).range).toBeNull()
  expect(readState({ from: '1800001', to: '3600001' }).range).toEqual({ from: 1800000, to: 5400000 })
})

test('a change keeps the rest of the address, and a default is not written', () => {
  const query = { lang: 'zh', of: 'place/hall', by: 'day' }
  expect(changedQuery(query, { by: null, range: { from: 1, to: 2 }, table: true })).toEqual({ lang: 'zh', of: 'place/hall', from: '1', to: '2', view: 'table' })
  expect(readState(changedQuery({}, { of: 'meter/a', bound: 0.05 }) as Record<string, string>).bound).toBe(0.05)
})

test('without a choice the present month is shown', () => {
  const now = Date.parse('2026-11-21T15:30+08:00')
  expect(rangeShown(readState({}), now, 'Asia/Shanghai').from).toBe(Date.parse('2026-11-01T00:00+08:00'))
})

test('a point and a node are told apart', () => {
  expect(isPoint('hall-main:active_energy_import')).toBe(true)
  expect(isPoint('place/hall')).toBe(false)
  expect(meterOf('hall-main:active_energy_import')).toBe('hall-main')
  expect(meterOf('meter/hall-main')).toBe('hall-main')
  expect(meterOf('place/hall')).toBeNull()
})

test('pages of the ledger share their range, and each keeps its own', () => {
  const left = { live: { period: 'day', points: 'a:b' }, consumption: { of: 'place/hall', from: '1', to: '2' } }
  const now = { page: 'balance', query: { from: '3', to: '4', lang: 'en' } }
  expect(queryFor('consumption', left, now)).toEqual({ of: 'place/hall', from: '3', to: '4', lang: 'en' })
  expect(queryFor('live', left, now)).toEqual({ period: 'day', points: 'a:b', lang: 'en' })
  expect(queryFor('consumption', left, { page: 'curves', query: {} })).toEqual({ of: 'place/hall', from: '1', to: '2' })
})

test('overview and consumption share the node, and the overview leaves the range of the others alone', () => {
  const left = { overview: { of: 'place/gym' }, consumption: { of: 'place/hall', from: '1', to: '2' } }
  expect(queryFor('consumption', left, { page: 'overview', query: { of: 'place/gym', lang: 'en' } })).toEqual({ of: 'place/gym', from: '1', to: '2', lang: 'en', factors: undefined })
  expect(queryFor('overview', left, { page: 'consumption', query: { of: 'place/hall', from: '3', to: '4' } })).toEqual({ of: 'place/hall', factors: undefined })
  expect(queryFor('overview', left, { page: 'alarms', query: { alarm: '7' } })).toEqual({ of: 'place/gym' })
})

test('every page stands once in the line of pages, the overview first', () => {
  expect(PAGES[0]).toBe('overview')
  expect(new Set(PAGES).size).toBe(PAGES.length)
  expect(PAGES.filter((page) => !zh.nav[page])).toEqual([])
})

test('a tree is shown as far as it is open, and the filter keeps the way', () => {
  const roots = branches(NODES)
  expect(visible(roots, () => false).map(({ node: { of } }) => of)).toEqual(['place/campus'])
  expect(visible(roots, () => true).map(({ node: { of }, level }) => `${level} ${of}`)).toEqual(['1 place/campus', '2 place/hall', '3 place/floor', '2 place/gym'])
  expect(visible(filtered(roots, '一层'), () => true).map(({ node: { of } }) => of)).toEqual(['place/campus', 'place/hall', 'place/floor'])
  expect(filtered(roots, 'nowhere')).toEqual([])
  expect(pathTo(TREES, 'place/floor').map(({ of }) => of)).toEqual(['place/campus', 'place/hall', 'place/floor'])
  expect([treeOf('organisation/x'), treeOf('a:b'), treeOf(null)]).toEqual(['organisations', 'meters', null])
})

test('of ten thousand lines those are in the page that are seen', () => {
  expect(slice(10_000, 27, 2700, 540, 10)).toEqual({ first: 90, end: 130 })
  expect(slice(5, 27, 0, 540)).toEqual({ first: 0, end: 5 })
})

test('what is not quite all or none is never called so', () => {
  expect([percent(1), percent(0.9999), percent(0.00001), percent(0), percent(0.123), percent(0.052), percent(-0.2)]).toEqual(['100 %', '>99.9 %', '<0.1 %', '0 %', '12 %', '5.2 %', '−20 %'])
  expect([change(0.050032), change(-0.123), change(3.77), change(0.0001)]).toEqual(['+5.0 %', '−12 %', '+377 %', '±0 %'])
})

test('all but what was measured is said, and only what is unknown makes a figure incomplete', () => {
  const estimated = figure(5, { shares: { ...SHARES, measured: 0.9, estimated: 0.1 } })
  expect(doubtful(estimated.shares)).toEqual([{ way: 'estimated', share: 0.1 }])
  expect(incomplete(estimated)).toBe(false)
  expect(incomplete(figure(5, { shares: { ...SHARES, measured: 0.9, disputed: 0.1 } }))).toBe(true)
})

test('against a year of which most is missing nothing is compared', () => {
  const half = figure(10, { shares: { ...SHARES, measured: 0.1, missing: 0.9 } })
  const nearly = figure(100, { shares: { ...SHARES, measured: 0.97, disputed: 0.03 } })
  expect([comparable(figure(100), half), comparable(half, figure(100)), comparable(figure(100), nearly)]).toEqual([false, false, true])
})

test('a bar is solid where measured, hatched above where estimated, and absent where unknown', () => {
  const figures = [figure(100, { estimated: 25 }), figure(null, { shares: { ...SHARES, measured: 0, missing: 1 } }), figure(-50)]
  const axis = valueAxis(figures, 100)
  const [first, second, third] = barShapes(figures, 300, axis)
  const unit = 100 / (axis.max - axis.min)

  expect(first?.solid?.height).toBeCloseTo(75 * unit)
  expect(first?.estimated?.height).toBeCloseTo(25 * unit)
  expect((first?.estimated?.y ?? 0) + (first?.estimated?.height ?? 0)).toBeCloseTo(first?.solid?.y ?? -1)
  expect(second).toMatchObject({ solid: null, estimated: null, disputed: null, missing: { y: 0, height: 100 } })
  expect(third?.solid?.y).toBeCloseTo(axis.y(0))
})

test('ticks leave room for each other', () => {
  const bars = Array.from({ length: 31 }, (_, index) => ({ tick: { text: String(index), strong: index === 0 } }))
  expect(tickedBars(bars, 2000)).toHaveLength(31)
  expect(tickedBars(bars, 440).length).toBeLessThanOrEqual(10)
})

test('parts come by size, unknown ones after them, and the rest last', () => {
  const part = (of: string, value: number | null) => ({ of, name: { zh: of, en: of }, figure: figure(value) })
  const rows = partRows({ total: figure(200), parts: [part('a', 20), part('b', null), part('c', 150)], rest: figure(30) })

  expect(rows.map(({ part: own, share }) => [own?.of ?? 'rest', share])).toEqual([['c', 0.75], ['a', 0.1], ['b', null], ['rest', 0.15]])
  expect(partRows({ total: figure(200), parts: [], rest: null })).toEqual([])
})

const WORDS: SheetWords = { from: '起', to: '止', part: '部分', value: '用量', estimated: '估算', cost: '费用 [元]', closed: '关账数', ways: { measured: '实测', manual: '人工', estimated: '估算', disputed: '存疑', missing: '缺失' } }

test('an export has every digit, the site’s time, and nothing where nothing is known', () => {
  const lines = periodLines([0, 3_600_000, 7_200_000], [figure(1.23456789, { cost: '0.640000' }), figure(null)], 'kWh', 'Asia/Shanghai', WORDS)

  expect(lines[0]?.slice(0, 5)).toEqual(['起', '止', '用量 [kWh]', '估算 [kWh]', '费用 [元]'])
  expect(lines[1]?.slice(0, 6)).toEqual(['1970-01-01T08:00:00+08:00', '1970-01-01T09:00:00+08:00', '1.23456789', '0', '0.640000', '1'])
  expect(lines[2]?.slice(2, 5)).toEqual(['', '0', ''])
  expect(partLines([{ of: 'meter/a', name: '=总表', figure: figure(1) }], 'kWh', WORDS)[1]?.slice(0, 3)).toEqual(["'=总表", 'meter/a', '1'])
})
