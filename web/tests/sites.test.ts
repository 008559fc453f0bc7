import { expect, test } from 'vitest'
import { type Organisation, typeOf } from '../src/api/sites'
import { linesOf, treesOf, waysTo } from '../src/sites/trees'

const organisation = (id: string, kind: string, ...within: [string, string | null, string | null][]): Organisation => ({
  id,
  kind,
  name: { zh: `${id}名`, en: id },
  code: null,
  class: null,
  from: null,
  to: null,
  within: within.map(([up, from, to]) => ({ within: up, from, to })),
  facts: [],
})
const ALL = [
  organisation('city', 'city'),
  organisation('county', 'county', ['city', null, null]),
  organisation('education', 'department'),
  organisation('school', 'institution', ['county', null, null], ['education', '2026-01-01', '2026-07-01']),
]
const trees = (day: string) => treesOf(ALL, day)
const ids = (lines: ReturnType<typeof linesOf>) => lines.map(({ organisation: { id }, level }) => `${level} ${id}`)
const OPEN = new Set(ALL.map(({ id }) => id))

test('an institution stands in its region and, while it belongs there, in its department', () => {
  expect(ids(linesOf(trees('2026-06-30'), 'region', OPEN, ''))).toEqual(['0 city', '1 county', '2 school'])
  expect(ids(linesOf(trees('2026-06-30'), 'department', OPEN, ''))).toEqual(['0 education', '1 school'])
  expect(ids(linesOf(trees('2026-07-01'), 'department', OPEN, ''))).toEqual(['0 education'])
})

test('what is sought is shown with those above it, whether they are open or not', () => {
  expect(ids(linesOf(trees('2026-06-30'), 'region', new Set(), 'SCHOOL'))).toEqual(['0 city', '1 county', '2 school'])
  expect(ids(linesOf(trees('2026-06-30'), 'region', new Set(), ''))).toEqual(['0 city'])
  expect(waysTo(trees('2026-06-30'), 'school').sort()).toEqual(['city', 'county', 'education'])
})

test('a file is known by its name', () => {
  expect([typeOf('站点.XLSX'), typeOf('a.yml'), typeOf('a.xls'), typeOf('yaml')].map((type) => type?.slice(-5) ?? null)).toEqual(['sheet', '/yaml', null, null])
})
