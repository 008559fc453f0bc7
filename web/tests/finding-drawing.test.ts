import { expect, it } from 'vitest'
import { drawn } from '../src/findings/drawing'

const HOUR = 3_600_000
const at = [0, HOUR, 2 * HOUR, 3 * HOUR]

it('draws hours as steps and leaves gaps where nothing is known', () => {
  const { used } = drawn({ at, used: [10, null, 5, 5], expected: [], low: [], high: [] }, { width: 400, height: 100 })

  expect(used).toBe('M0.0 0.0L100.0 0.0M200.0 50.0L300.0 50.0L300.0 50.0L400.0 50.0')
})

it('closes the band of what is usual and makes room for it', () => {
  const { band, highest } = drawn({ at: [0], used: [5], expected: [8], low: [6], high: [10] }, { width: 100, height: 100 })

  expect(highest).toBe(10)
  expect(band).toBe('M0.0 0.0L100.0 0.0L100.0 40.0L0.0 40.0Z')
})
