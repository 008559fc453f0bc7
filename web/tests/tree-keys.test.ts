import { expect, test } from 'vitest'
import { onTreeKey } from '../src/shell/tree'

/** What a key does on the second of three lines, and whether the browser still hears of it. */
function pressed(key: string, held: KeyboardEventInit = {}): string {
  const done: string[] = []
  const event = new KeyboardEvent('keydown', { key, cancelable: true, ...held })
  onTreeKey(event, ['a', 'b', 'c'], 1, {
    focus: (index) => done.push(`focus ${index}`),
    aside: (line, index, into) => done.push(`${into ? 'into' : 'out of'} ${line} ${index}`),
    act: (line) => done.push(`act ${line}`),
    others: { c: (line) => done.push(`use of ${line}`) },
  })
  return `${done.join()}${event.defaultPrevented ? '' : ', passed on'}`
}

test('arrows move along the lines and into what is below, Enter and space act', () => {
  expect(['ArrowDown', 'ArrowUp', 'Home', 'End'].map((key) => pressed(key))).toEqual(['focus 2', 'focus 0', 'focus 0', 'focus 2'])
  expect(['ArrowLeft', 'ArrowRight', 'Enter', ' ', 'c'].map((key) => pressed(key))).toEqual(['out of b 1', 'into b 1', 'act b', 'act b', 'use of b'])
})

test('other keys, and keys held with Ctrl, Alt or Meta, are left to the browser', () => {
  expect(pressed('x')).toBe(', passed on')
  expect([{ ctrlKey: true }, { altKey: true }, { metaKey: true }].map((held) => pressed('ArrowLeft', held))).toEqual(Array(3).fill(', passed on'))
})
