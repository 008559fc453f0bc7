// What the page of the edges asks for; fetched with it.
import { apiBase, getJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Fleet = Schemas['EdgesAnswer']
export type FleetEdge = Schemas['FleetEdge']
export type EdgeAnswer = Schemas['EdgeAnswer']
export type GatewayProcess = Schemas['ProcessWords']

const url = (path: string): string => `${apiBase().pathname}/${path}`

export const edgesApi = {
  fleet: (_: object, signal?: AbortSignal) => getJson<Fleet>(url('edges'), signal),
  edge: ({ edge }: { edge: string }, signal?: AbortSignal) => getJson<EdgeAnswer>(url(`edges/${encodeURIComponent(edge)}`), signal),
}
