import { describe, expect, it } from 'vitest'
import type { Statement, StatementLine } from '../src/api/contracts'
import { dotsOf, lastDay, lineSteps, nextDays, stepsFor } from '../src/contracts/contracts'

const statement = (state: string, confirmed: string[] = [], disputed = 0) => ({ head: { state, disputed }, confirmed_by: confirmed }) as unknown as Statement
const line = (by: string[] = [], referred = false) => ({ disputed_by: by, referred }) as unknown as StatementLine

describe('days to settle', () => {
  it('begin where the last statement ended, and last to the end of the month', () => {
    expect(nextDays({ from: '2026-01-01', settled_to: '2026-03-01' })).toEqual({ from: '2026-03-01', last: '2026-03-31' })
    expect(nextDays({ from: '2026-01-15', settled_to: null })).toEqual({ from: '2026-01-15', last: '2026-01-31' })
    expect(lastDay('2026-03-01')).toBe('2026-02-28')
  })
})

describe('dots of a baseline', () => {
  it('stand by temperature and energy, and days that are not known have none', () => {
    const day = (temperature: string | null, amount: number | null, modelled: number | null) => ({ day: '2026-01-01', kind: 'workday', temperature, amount, modelled })
    expect(dotsOf([day('0', 10, 20), day('10', 5, 5), day(null, 1, 1), day('5', null, 2)])).toEqual({ measured: [[0, 0.5], [1, 0.75]], modelled: [[0, 0], [1, 0.75]] })
  })
})

describe('what a party can do', () => {
  it('is to confirm once', () => {
    expect(stepsFor(statement('frozen'), 'client')).toEqual(['confirmed'])
    expect(stepsFor(statement('confirmed_by_one', ['client']), 'client')).toEqual([])
  })

  it('is to ask for payment, to pay, to invoice and to close, each in turn', () => {
    const both = ['client', 'esco']
    expect(stepsFor(statement('confirmed', both), 'esco')).toEqual(['payment_requested'])
    expect(stepsFor(statement('confirmed', both), 'client')).toEqual([])
    expect(stepsFor(statement('payment_requested', both), 'client')).toEqual(['paid'])
    expect(stepsFor(statement('paid', both), 'esco')).toEqual(['invoiced'])
    expect(stepsFor(statement('invoiced', both), 'client')).toEqual(['closed'])
    expect(stepsFor(statement('invoiced', both, 1), 'client')).toEqual([])
    expect(stepsFor(statement('reversed'), 'client')).toEqual([])
  })

  it('is to dispute a line before it confirms, and to take that back', () => {
    expect(lineSteps(statement('frozen'), line(), 'client')).toEqual(['disputed'])
    expect(lineSteps(statement('confirmed_by_one', ['client']), line(), 'client')).toEqual([])
    expect(lineSteps(statement('frozen'), line(['client']), 'client')).toEqual(['agreed', 'referred'])
    expect(lineSteps(statement('frozen'), line(['client'], true), 'esco')).toEqual(['disputed'])
  })
})
