import type { Organisation } from '../api/sites'

export type TreeName = 'region' | 'department'

/** An organisation in a tree: how deep it stands, and how many stand directly below it. */
export interface Line {
  organisation: Organisation
  level: number
  below: number
}

/** Who stands below whom on a day; of each tree those at the top. */
export interface Trees {
  below: ReadonlyMap<string, readonly Organisation[]>
  above: ReadonlyMap<string, readonly string[]>
  tops: Readonly<Record<TreeName, readonly Organisation[]>>
}

const holds = (day: string, from: string | null, to: string | null): boolean => (from === null || from <= day) && (to === null || day < to)

/** Departments stand beside regions: what is at the top tells which tree it is. */
export function treesOf(organisations: readonly Organisation[], day: string): Trees {
  const known = new Set(organisations.map(({ id }) => id))
  const below = new Map<string, Organisation[]>()
  const above = new Map<string, string[]>()
  const tops: Record<TreeName, Organisation[]> = { region: [], department: [] }
  for (const one of organisations) {
    const ups = one.within.filter((w) => known.has(w.within) && holds(day, w.from, w.to)).map((w) => w.within)
    above.set(one.id, ups)
    for (const up of ups) below.set(up, [...(below.get(up) ?? []), one])
    if (!ups.length) tops[one.kind === 'department' ? 'department' : 'region'].push(one)
  }
  return { below, above, tops }
}

/** The lines of a tree in its order: below those that are open, or on the way to what is sought. */
export function linesOf(trees: Trees, tree: TreeName, open: ReadonlySet<string>, words: string): Line[] {
  const kept = words.trim() ? soughtIn(trees, words.trim().toLowerCase()) : null
  const lines: Line[] = []
  const walk = (organisations: readonly Organisation[], level: number): void => {
    for (const organisation of organisations) {
      if (kept && !kept.has(organisation.id)) continue
      const below = trees.below.get(organisation.id) ?? []
      lines.push({ organisation, level, below: below.length })
      if (kept || open.has(organisation.id)) walk(below, level + 1)
    }
  }
  walk(trees.tops[tree], 0)
  return lines
}

function soughtIn(trees: Trees, words: string): Set<string> {
  const kept = new Set<string>()
  const keep = (id: string): void => {
    if (kept.has(id)) return
    kept.add(id)
    trees.above.get(id)?.forEach(keep)
  }
  const all = [...trees.tops.region, ...trees.tops.department, ...[...trees.below.values()].flat()]
  for (const { id, name, code } of all) if (`${name.zh} ${name.en} ${id} ${code ?? ''}`.toLowerCase().includes(words)) keep(id)
  return kept
}

/** Those above an organisation in all trees, so that one sees it. */
export function waysTo(trees: Trees, id: string): string[] {
  const found = new Set<string>()
  const walk = (one: string): void => trees.above.get(one)?.forEach((up) => (found.add(up), walk(up)))
  walk(id)
  return [...found]
}
