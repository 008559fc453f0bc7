// What the page of findings asks for; fetched with it.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Finding = Schemas['FindingWords']
export type Findings = Schemas['FindingsAnswer']
export type FindingShown = Schemas['FindingAnswer']
export type Curve = Schemas['FindingCurve']
export type State = Finding['state']
export type Decision = Schemas['FindingDecision']

const url = (path: string): string => `${apiBase().pathname}/${path}`

export const findingsApi = {
  findings: ({ states }: { states: State[] }, signal?: AbortSignal) => getJson<Findings>(url(`findings?${new URLSearchParams(states.map((state) => ['state', state])).toString()}`), signal),
  finding: ({ id }: { id: number }, signal?: AbortSignal) => getJson<FindingShown>(url(`findings/${id}`), signal),
  decide: (body: Decision) => postJson<Finding>(url('findings/decide'), body),
}
