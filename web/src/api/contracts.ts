// What the page of contracts asks for; fetched with it.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Contracts = Schemas['ContractsAnswer']
export type Contract = Schemas['SettlementContractWords']
export type ContractAnswer = Schemas['ContractAnswer']
export type Baseline = Schemas['BaselineWords']
export type Statement = Schemas['StatementAnswer']
export type StatementLine = Schemas['StatementLineWords']
export type MeteredDays = Schemas['MeteredDaysWords']
export type BaselineAnswer = Schemas['BaselineAnswer']
export type BaselineAsked = Schemas['BaselineAsked']
export type FittedDay = Schemas['FittedDayWords']
export type Party = Schemas['Party']
export type StepKind = Schemas['StepKind']

/** Days of a contract; `to` is not included. */
export interface Days {
  contract: string
  from: string
  to: string
}

export interface NewStep {
  statement: number
  kind: StepKind
  party: Party
  line: string
  who: string
  why: string
}

const url = (path: string): string => `${apiBase().pathname}/${path}`

export const contractsApi = {
  contracts: (_: object, signal?: AbortSignal) => getJson<Contracts>(url('contracts'), signal),
  contract: ({ id }: { id: string }, signal?: AbortSignal) => getJson<ContractAnswer>(url(`contracts/${encodeURIComponent(id)}`), signal),
  statement: ({ id }: { id: number }, signal?: AbortSignal) => getJson<Statement>(url(`statements/${id}`), signal),
  preview: (body: BaselineAsked) => postJson<BaselineAnswer>(url('baselines/preview'), body),
  freezeBaseline: (body: { asked: BaselineAsked; who: string; why: string }) => postJson<BaselineAnswer>(url('baselines/freeze'), body),
  draft: (body: Days) => postJson<Statement>(url('statements/draft'), body),
  freeze: (body: Days & { who: string; why: string }) => postJson<Statement>(url('statements/freeze'), body),
  step: (body: NewStep) => postJson<Statement>(url('statements/step'), body),
  reverse: (body: { statement: number; who: string; why: string }) => postJson<Statement>(url('statements/reverse'), body),
  file: (id: number, format: 'json' | 'pdf' | 'xlsx'): string => `${url(`statements/${id}/file`)}?format=${format}`,
}
