// What the pages of the statistics ask.
import { apiBase, getFile, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Filings = Schemas['FilingsAnswer']
export type FilingRow = Schemas['FilingRowWords']
export type Filing = Schemas['FilingAnswer']
export type FilingCell = Schemas['CellWords']
export type Found = Schemas['FoundWords']
export type Rollup = Schemas['RollupAnswer']
export type Summed = Schemas['SummedWords']
export type State = FilingRow['state']
export type Severity = Found['severity']
export type Tree = 'region' | 'department'

type Query = Record<string, string | number | boolean | null | undefined>

function at(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '')
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()
  return `${apiBase().pathname}/statistics/${path}${text ? `?${text}` : ''}`
}

export interface BoardQuestion {
  month: string
  state: string
  late: string
  found: string
  search: string
  below: string
  tree: Tree
  offset: number
}

interface Step {
  month: string
  organisation: string
  revision: number
  who: string
  factors: string | null
}

export interface EnteredCell {
  cell: string
  value?: string | null
  why?: string
  follow?: boolean
}

export const statisticsApi = {
  filings: (question: BoardQuestion & { limit: number }, signal?: AbortSignal): Promise<Filings> => getJson(at('filings', { ...question }), signal),
  filing: (question: { month: string; organisation: string; factors: string | null }, signal?: AbortSignal): Promise<Filing> => getJson(at('filing', question), signal),
  rollup: (question: { month: string; tree: Tree; drafts: boolean; factors: string | null }, signal?: AbortSignal): Promise<Rollup> => getJson(at('rollup', question), signal),
  workbook: (question: { month: string; drafts: boolean; factors: string | null }) => getFile(at('export', question)),
  fill: (body: Step & { cells: EnteredCell[] }): Promise<Filing> => postJson(at('fill'), body),
  submit: (body: Step & { reasons: Record<string, string>; why: string }): Promise<Filing> => postJson(at('submit'), body),
  giveBack: (body: Step & { why: string }): Promise<Filing> => postJson(at('return'), body),
  accept: (body: Step & { why: string }): Promise<Filing> => postJson(at('accept'), body),
}
