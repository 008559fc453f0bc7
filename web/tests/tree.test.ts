import { expect, test } from 'vitest'
import type { Meter } from '../src/api/schema'
import { nameInPlace, nameWithPlace } from '../src/site/names'
import { headlinesOf } from '../src/site/campus'
import { buildTree, filterTree, firstChoice, mainMetersOf, visibleLines, wrongIn } from '../src/site/tree'

function meter(id: string, place: string | null, parent: string | null = null, medium: Meter['medium'] = 'electricity'): Meter {
  return { id, name: { zh: `表${id}`, en: `Meter ${id}` }, medium, place, parent, profile: null, interval_s: 10, headline: 'active_power', quantities: ['active_power'], state: 'reporting', last_taken_at: null }
}

const PLACES = [{ id: 'hall', name: { zh: '大楼', en: 'Hall' }, kind: 'office' }]
const METERS = [meter('main', 'hall'), meter('lift', 'hall', 'main'), meter('feeder', null), meter('water', 'hall', null, 'water'), meter('far', 'hall', 'feeder')]

test('meters stand under their main meter where both are in one place', () => {
  const lines = visibleLines(buildTree(PLACES, METERS), new Set())

  expect(lines.map(({ key, level }) => `${level} ${key}`)).toEqual(['1 place ', '2 feeder', '1 place hall', '2 main', '3 lift', '2 water', '2 far'])
})

test('a filter keeps the way to what it finds', () => {
  const lines = visibleLines(filterTree(buildTree(PLACES, METERS), 'LIFT'), new Set())

  expect(lines.map(({ key }) => key)).toEqual(['place hall', 'main', 'lift'])
})

test('a place that is named keeps all its meters', () => {
  expect(filterTree(buildTree(PLACES, METERS), '大楼')[0]?.count).toBe(4)
})

test('a place is measured by the meters that no other of its meters stands above', () => {
  expect(mainMetersOf('hall', METERS).map(({ id }) => id)).toEqual(['main', 'water', 'far'])
})

test('a first visit shows the main electricity meters', () => {
  expect(firstChoice(METERS).map(({ id }) => id)).toEqual(['main', 'feeder'])
})

test('a place is not repeated in the names below it, and not missing where nothing else tells it', () => {
  expect(nameInPlace('Office A floor 1', 'Office A')).toBe('Floor 1')
  expect(nameInPlace('办公楼A', '办公楼A')).toBe('办公楼A')
  expect(nameWithPlace('总表', '办公楼A')).toBe('办公楼A 总表')
  expect(nameWithPlace('办公楼A 总表', '办公楼A')).toBe('办公楼A 总表')
})

test('a meter from which nothing is read is offered no curve', () => {
  const mute: Meter = { ...meter('mute', null), headline: null, quantities: [] }

  expect(firstChoice([mute, ...METERS]).map(({ id }) => id)).toEqual(['main', 'feeder'])
  expect(headlinesOf([mute, meter('lift', 'hall')])).toEqual(['lift:active_power'])
})

test('a place bears the worst state below it', () => {
  const states: [Meter['state'], string | null][] = [['reporting', null], ['silent', 'main'], ['late', null]]
  const [hall] = buildTree(PLACES, states.map(([state, parent], index) => ({ ...meter(index ? `m${index}` : 'main', 'hall', parent), state })))

  expect(wrongIn(hall?.meters ?? [])).toBe('silent')
  expect(wrongIn(hall?.meters.slice(1) ?? [])).toBe('late')
  expect(wrongIn([])).toBeNull()
})
