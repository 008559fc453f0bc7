import { expect, test } from 'vitest'
import { lineStyles } from '../src/curves/palette'

test('twenty curves of one medium are told apart by tint and dash', () => {
  const styles = lineStyles(Array(20).fill('water'))

  expect(new Set(styles.map(({ colour, dash }) => `${colour} ${dash}`)).size).toBe(20)
  expect(styles.every(({ colour }) => colour.startsWith('--water-'))).toBe(true)
})

test('each medium begins with its own colour', () => {
  expect(lineStyles(['gas', 'heat', 'gas']).map(({ colour }) => colour)).toEqual(['--gas-1', '--heat-1', '--gas-2'])
})
