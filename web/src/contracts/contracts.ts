import type { FittedDay, Party, Statement, StatementLine, StepKind } from '../api/contracts'
import { dayBy } from '../tariffs/bills'

/** The last day, of an end that is not included. */
export const lastDay = (end: string): string => dayBy(end, -1)

/** The month after what is settled, or the first of the contract. */
export function nextDays(contract: { from: string; settled_to: string | null }): { from: string; last: string } {
  const from = contract.settled_to ?? contract.from
  const [year = 0, month = 1] = from.split('-').map(Number)
  const following = new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10)
  return { from, last: dayBy(following, -1) }
}

/** Dots of days within a picture of 1 × 1: temperature to the right, energy upwards from zero. */
export function dotsOf(days: FittedDay[]): { measured: [number, number][]; modelled: [number, number][] } {
  const known = days.flatMap(({ temperature, amount, modelled }) => (temperature === null || amount === null || modelled === null ? [] : [{ t: Number(temperature), amount, modelled }]))
  const [low, high] = [Math.min(...known.map(({ t }) => t)), Math.max(...known.map(({ t }) => t))]
  const most = Math.max(...known.flatMap(({ amount, modelled }) => [amount, modelled]))
  const across = (t: number): number => (high > low ? (t - low) / (high - low) : 0.5)
  const up = (value: number): number => (most > 0 ? 1 - Math.max(0, value) / most : 1)
  return { measured: known.map(({ t, amount }) => [across(t), up(amount)]), modelled: known.map(({ t, modelled }) => [across(t), up(modelled)]) }
}

/** What a party can do now with a statement as a whole. */
export function stepsFor(statement: Statement, party: Party): StepKind[] {
  const state = statement.head?.state
  if (!state || state === 'reversed') return []
  const steps: StepKind[] = statement.confirmed_by.includes(party) ? [] : ['confirmed']
  if (party === 'esco' && state === 'confirmed') steps.push('payment_requested')
  if (party === 'client' && state === 'payment_requested') steps.push('paid')
  if (party === 'esco' && state === 'paid') steps.push('invoiced')
  if (party === 'client' && state === 'invoiced' && Number(statement.head?.disputed) === 0) steps.push('closed')
  return steps
}

/** What a party can do now with a line. */
export function lineSteps(statement: Statement, line: StatementLine, party: Party): StepKind[] {
  if (!statement.head || statement.head.state === 'reversed') return []
  if (line.disputed_by.includes(party)) return line.referred ? ['agreed'] : ['agreed', 'referred']
  const steps: StepKind[] = line.disputed_by.length && !line.referred ? ['referred'] : []
  return statement.confirmed_by.includes(party) ? steps : [...steps, 'disputed']
}
