import { describe, expect, it } from 'vitest'
import { computed } from 'vue'
import { openClock } from '../src/api/clock'
import { monthOf } from '../src/statistics/statistics'

describe('the clock of the gateway', () => {
  it('changes what was computed before the gateway was heard', () => {
    const clock = openClock(() => Date.UTC(2026, 10, 21))
    const month = computed(() => monthOf(clock.now(), 'Asia/Shanghai'))
    expect(month.value).toBe('2026-11')

    clock.hear(Date.UTC(2026, 3, 2))

    expect(month.value).toBe('2026-04')
  })

  it('is not moved by a second or less', () => {
    let local = 10_000
    const clock = openClock(() => local)
    clock.hear(10_900)
    expect(clock.now()).toBe(10_000)
    clock.hear(12_000)
    local = 20_000
    expect(clock.now()).toBe(22_000)
  })
})
