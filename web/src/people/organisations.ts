import type { OrganisationName } from '../api/people'

/** An organisation as a line of a tree, with how deep it stands. */
export interface OrganisationLine {
  organisation: OrganisationName
  level: number
}

/** As a tree: each below the one above it, in the order of the site. One whose parent is not there stands at the top. */
export function linesOf(organisations: readonly OrganisationName[]): OrganisationLine[] {
  const known = new Set(organisations.map(({ id }) => id))
  const below = new Map<string | null, OrganisationName[]>()
  for (const one of organisations) {
    const parent = one.parent !== null && known.has(one.parent) ? one.parent : null
    below.set(parent, [...(below.get(parent) ?? []), one])
  }
  const lines: OrganisationLine[] = []
  const walk = (parent: string | null, level: number): void => {
    for (const organisation of below.get(parent) ?? []) {
      lines.push({ organisation, level })
      walk(organisation.id, level + 1)
    }
  }
  walk(null, 0)
  return lines
}

/** The lines that the words name, with those above them, so that one sees where they belong. */
export function soughtLines(lines: readonly OrganisationLine[], words: string): OrganisationLine[] {
  const sought = words.trim().toLowerCase()
  if (!sought) return [...lines]
  const parents = new Map(lines.map(({ organisation }) => [organisation.id, organisation.parent]))
  const kept = new Set<string>()
  for (const { organisation } of lines) {
    const { zh, en } = organisation.name
    if (!`${zh} ${en} ${organisation.id}`.toLowerCase().includes(sought)) continue
    for (let id: string | null = organisation.id; id !== null && !kept.has(id); id = parents.get(id) ?? null) kept.add(id)
  }
  return lines.filter(({ organisation }) => kept.has(organisation.id))
}
