// What the page of the site asks: organisations, and the site as a file.
import { apiBase, getFile, getJson, postFile } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Organisation = Schemas['OrganisationWords']
export type OrganisationsAnswer = Schemas['OrganisationsAnswer']
export type SitePreview = Schemas['SitePreview']
export type SiteApplied = Schemas['SiteApplied']
export type RecordChange = Schemas['RecordWords']
export type FileFault = Schemas['FileFault']
export type Form = 'xlsx' | 'yaml'

const at = (path: string, query: Record<string, string> = {}): string => {
  const given = new URLSearchParams(query).toString()
  return `${apiBase().pathname}/${path}${given ? `?${given}` : ''}`
}

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
/** By its name: browsers call YAML by several names, or by none. */
export const typeOf = (name: string): string | null => (/\.xlsx$/i.test(name) ? XLSX : /\.ya?ml$/i.test(name) ? 'application/yaml' : null)

export const sitesApi = {
  /** `whole` : as who administers the site is told, who need not see any data. */
  organisations: (whole: boolean, signal?: AbortSignal): Promise<OrganisationsAnswer> => getJson(at(whole ? 'site/organisations' : 'organisations'), signal),
  file: (whole: boolean, as: Form) => getFile(at(whole ? 'site/export' : 'site/file', { as })),
  template: () => getFile(at('site/template')),
  preview: (file: File, type: string, offset = 0): Promise<SitePreview> => postFile(at('site/preview', { name: file.name.slice(-200), offset: String(offset) }), file, type),
  apply: (file: File, type: string, expected: string, why: string): Promise<SiteApplied> => postFile(at('site/apply', { name: file.name.slice(-200), expected, why }), file, type),
}
