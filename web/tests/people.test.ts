import { expect, test } from 'vitest'
import type { OrganisationName } from '../src/api/people'
import { changesOf, partsOf, restOf } from '../src/audit/audit'
import { linesOf, soughtLines } from '../src/people/organisations'

const organisation = (id: string, parent: string | null): OrganisationName => ({ id, parent, name: { zh: `${id}局`, en: `${id} bureau` } })
const ids = (lines: ReturnType<typeof linesOf>) => lines.map(({ organisation: { id }, level }) => `${level} ${id}`)

test('each organisation stands below the one above it, and at the top where that is not there', () => {
  const lines = linesOf([organisation('school', 'education'), organisation('city', null), organisation('education', 'city'), organisation('lost', 'gone')])
  expect(ids(lines)).toEqual(['0 city', '1 education', '2 school', '0 lost'])
})

test('what is sought is found with those above it', () => {
  const lines = linesOf([organisation('city', null), organisation('education', 'city'), organisation('school', 'education'), organisation('health', 'city')])
  expect(ids(soughtLines(lines, 'SCHOOL'))).toEqual(['0 city', '1 education', '2 school'])
  expect(soughtLines(lines, 'nothing')).toEqual([])
  expect(soughtLines(lines, ' ')).toHaveLength(4)
})

test('a change tells the fields that are other than before, and no others', () => {
  const row = { detail: { before: { amount: '1', note: 'a', ratio: 1 }, after: { amount: '2', note: 'a', meters: ['x'] }, why: 'typed wrongly', who: 'li', site: 'court' } }
  expect(changesOf(row)).toEqual([
    { field: 'amount', before: '1', after: '2' },
    { field: 'meters', before: null, after: '["x"]' },
    { field: 'ratio', before: '1', after: null },
  ])
  expect(restOf(row)).toEqual([['site', 'court']])
})

test('what is new has nothing before, and a row without a change has no fields', () => {
  expect(changesOf({ detail: { before: null, after: { a: 0 } } })).toEqual([{ field: 'a', before: null, after: '0' }])
  expect(changesOf({ detail: { path: '/api', status: 403 } })).toEqual([])
  expect(restOf({ detail: { path: '/api', status: 403 } })).toEqual([['path', '/api'], ['status', '403']])
})

test('a subject is a kind and a key that may have slashes in it', () => {
  expect(partsOf('user_grant/wang/3')).toEqual(['user_grant', 'wang/3'])
  expect(partsOf('request')).toEqual(['request', ''])
})
