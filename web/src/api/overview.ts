// What the officer's page asks for; fetched with it.
import { apiBase, getJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type NodeOverview = Schemas['NodeOverviewAnswer']
export type Span = Schemas['OverviewSpanWords']
export type SpanName = Span['span']
export type MediumSum = Schemas['OverviewMediumWords']
export type Money = Schemas['OverviewMoneyWords']
export type Mass = Schemas['OverviewMassWords']
export type Quotas = Schemas['OverviewQuotasWords']
export type Alarms = Schemas['OverviewAlarmsWords']
export type Findings = Schemas['OverviewFindingsWords']
export type Contracts = Schemas['OverviewContractsWords']
export type Filings = Schemas['OverviewFilingsWords']

export interface OverviewRequest {
  of: string | null
  factors: string | null
}

function overviewUrl({ of, factors }: OverviewRequest): string {
  const search = new URLSearchParams()
  if (of) search.set('of', of)
  if (factors) search.set('factors', factors)
  const text = search.toString()
  return `${apiBase().pathname}/nodes/overview${text ? `?${text}` : ''}`
}

export const overviewApi = {
  node: (request: OverviewRequest, signal?: AbortSignal) => getJson<NodeOverview>(overviewUrl(request), signal),
}
