import type { Meter, Place, Text } from '../api/schema'

/** A meter with the meters below it in the same place. */
export interface MeterNode {
  meter: Meter
  below: MeterNode[]
}

export interface PlaceNode {
  /** null: meters that belong to the whole site. */
  place: Place | null
  meters: MeterNode[]
  count: number
}

/** The tree of places with their meters; a meter stands under its main meter when both are in one place. */
export function buildTree(places: Place[], meters: Meter[]): PlaceNode[] {
  const groups = new Map<string | null, Meter[]>([[null, []], ...places.map(({ id }): [string, Meter[]] => [id, []])])
  for (const meter of meters) (groups.get(meter.place) ?? groups.get(null))?.push(meter)
  return [null, ...places]
    .map((place) => {
      const here = groups.get(place?.id ?? null) ?? []
      return { place, meters: nest(here), count: here.length }
    })
    .filter((node) => node.count > 0)
}

function nest(meters: Meter[]): MeterNode[] {
  const nodes = new Map(meters.map((meter) => [meter.id, { meter, below: [] as MeterNode[] }]))
  const roots: MeterNode[] = []
  for (const node of nodes.values()) {
    const above = node.meter.parent === null ? undefined : nodes.get(node.meter.parent)
    if (above && above !== node) above.below.push(node)
    else roots.push(node)
  }
  return roots
}

const holds = (text: Text, words: string): boolean => `${text.zh} ${text.en}`.toLowerCase().includes(words)

/** The tree without what the words do not name; a place that is named keeps all its meters. */
export function filterTree(tree: PlaceNode[], words: string): PlaceNode[] {
  const sought = words.trim().toLowerCase()
  if (!sought) return tree
  return tree
    .map((node) => {
      if (node.place && holds(node.place.name, sought)) return node
      const meters = node.meters.map((child) => filterMeter(child, sought)).filter((child) => child !== null)
      return { ...node, meters, count: countOf(meters) }
    })
    .filter((node) => node.count > 0)
}

function filterMeter(node: MeterNode, sought: string): MeterNode | null {
  const below = node.below.map((child) => filterMeter(child, sought)).filter((child) => child !== null)
  const named = holds(node.meter.name, sought) || node.meter.id.toLowerCase().includes(sought)
  return named || below.length > 0 ? { meter: node.meter, below } : null
}

const countOf = (nodes: MeterNode[]): number => nodes.reduce((sum, { below }) => sum + 1 + countOf(below), 0)

/** A line of the tree as it is shown: what stands in it, and how deep. */
export type TreeLine =
  | { key: string; level: 1; node: PlaceNode; open: boolean; meter?: undefined }
  | { key: string; level: number; node?: undefined; meter: Meter; place: string }

/** The state of the worst meter of a place; null where nothing has failed. */
export function wrongIn(nodes: MeterNode[]): 'silent' | 'late' | null {
  const found = nodes.map(({ meter, below }) => (meter.state === 'silent' ? meter.state : (wrongIn(below) ?? (meter.state === 'late' ? meter.state : null))))
  return found.find((state) => state === 'silent') ?? found.find((state) => state === 'late') ?? null
}

export const placeKey = (node: PlaceNode): string => `place ${node.place?.id ?? ''}`

export function visibleLines(tree: PlaceNode[], closed: ReadonlySet<string>): TreeLine[] {
  return tree.flatMap((node) => {
    const key = placeKey(node)
    const open = !closed.has(key)
    const head: TreeLine = { key, level: 1, node, open }
    return open ? [head, ...node.meters.flatMap((child) => linesOf(child, 2, key))] : [head]
  })
}

function linesOf(node: MeterNode, level: number, place: string): TreeLine[] {
  const line: TreeLine = { key: node.meter.id, level, meter: node.meter, place }
  return [line, ...node.below.flatMap((child) => linesOf(child, level + 1, place))]
}

/** The meters a place is measured by: those without a main meter above them in the same place. */
export function mainMetersOf(place: string, meters: Meter[]): Meter[] {
  const here = meters.filter((meter) => meter.place === place)
  const ids = new Set(here.map((meter) => meter.id))
  return here.filter(({ parent }) => parent === null || !ids.has(parent))
}

/** What a first visit shows: the site's main electricity meters, or its main meters where it has none of these. */
export function firstChoice(meters: Meter[], count = 4): Meter[] {
  const main = meters.filter(({ parent, headline }) => parent === null && headline !== null)
  const electric = main.filter(({ medium }) => medium === 'electricity')
  return (electric.length ? electric : main).slice(0, count)
}
