import { expect, test } from 'vitest'
import type { Curve } from '../src/curves/curve'
import { type Column, csvOf, joinRows } from '../src/curves/rows'

const WORDS = { time: '时间', mean: '平均', min: '最小', max: '最大', register: '表底' }

function column(name: string, t: number[], mid: (number | null)[], stepMs: number | null = null): Column {
  const curve: Curve = { point: name, unit: 'kW', kind: 'gauge', stepMs, t, low: mid, mid, high: mid, uncertain: false, uncertainAt: new Set(), coveredTo: 0 }
  return { point: name, name, unit: 'kW', kind: 'gauge', curve }
}

test('rows of several curves meet by their time, and gaps stay empty', () => {
  const rows = joinRows([column('a', [0, 1000, 2000], [1, null, 3]), column('b', [1000, 2000], [7, 8])], 0, 2000)

  expect(rows).toEqual([
    { at: 0, index: [0, null] },
    { at: 1000, index: [null, 0] },
    { at: 2000, index: [2, 1] },
  ])
})

test('an export has the site’s time, every digit, and nothing where nothing was read', () => {
  const columns = [column('总表, 1号', [0, 1000], [1.23456789, null]), column('b', [1000], [7])]

  expect(csvOf(columns, joinRows(columns, 0, 1000), 'Asia/Shanghai', WORDS)).toBe(
    '\uFEFF时间,"总表, 1号 [kW]",b [kW]\r\n1970-01-01T08:00:00+08:00,1.23456789,\r\n1970-01-01T08:00:01+08:00,,7\r\n',
  )
})

test('a name that Excel would calculate is exported as text', () => {
  const columns = [column('=HYPERLINK("x")', [0], [1], 1000)]

  expect(csvOf(columns, [], 'UTC', WORDS)).toContain(`"'=HYPERLINK(""x"") [kW] 平均"`)
})
