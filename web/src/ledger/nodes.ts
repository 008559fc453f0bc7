import type { TreeNode, Trees } from '../api/ledger'

export const TREES = ['places', 'organisations', 'items', 'meters'] as const
export type TreeName = (typeof TREES)[number]

/** The tree in which a node stands. */
export function treeOf(of: string | null): TreeName | null {
  const kind = of?.includes('/') ? of.slice(0, of.indexOf('/')) : of?.includes(':') ? 'meter' : null
  const trees: Record<string, TreeName> = { site: 'places', place: 'places', organisation: 'organisations', item: 'items', meter: 'meters' }
  return (kind && trees[kind]) || null
}

export interface Branch {
  node: TreeNode
  level: number
  below: Branch[]
}

export function branches(nodes: readonly TreeNode[]): Branch[] {
  const made = new Map(nodes.map((node) => [node.of, { node, level: 1, below: [] as Branch[] }]))
  const roots: Branch[] = []
  for (const branch of made.values()) {
    const above = branch.node.parent === null ? undefined : made.get(branch.node.parent)
    if (above && above !== branch) {
      // Each node comes after its parent, so the level above is known.
      branch.level = above.level + 1
      above.below.push(branch)
    } else roots.push(branch)
  }
  return roots
}

/** The line above the virtual meters: no node, and nothing flows through it. */
export const VIRTUAL = 'virtual'

/** The lines of a tab: below the meters those that are reckoned from them. */
export function rootsOf(trees: Trees, name: TreeName, heading: TreeNode['name']): Branch[] {
  const roots = branches(trees[name])
  if (name !== 'meters' || trees.virtual.length === 0) return roots
  const below = branches(trees.virtual).map((branch) => ({ ...branch, level: 2 }))
  return [...roots, { node: { of: VIRTUAL, parent: null, kind: 'heading', name: heading }, level: 1, below }]
}

const named = ({ of, name }: TreeNode, sought: string): boolean => `${name.zh} ${name.en} ${of}`.toLowerCase().includes(sought)

/** The branches without what the words do not name; one that is named keeps all below it. */
export function filtered(roots: Branch[], words: string): Branch[] {
  const sought = words.trim().toLowerCase()
  if (!sought) return roots
  return roots.flatMap((branch) => {
    if (named(branch.node, sought)) return [branch]
    const below = filtered(branch.below, sought)
    return below.length ? [{ ...branch, below }] : []
  })
}

/** A line of the tree as it is shown. */
export interface NodeLine {
  node: TreeNode
  level: number
  /** null where nothing is below. */
  open: boolean | null
}

export function visible(roots: Branch[], isOpen: (of: string) => boolean): NodeLine[] {
  return roots.flatMap(({ node, level, below }) => {
    const open = below.length ? isOpen(node.of) : null
    return [{ node, level, open }, ...(open ? visible(below, isOpen) : [])]
  })
}

export const countOf = (roots: Branch[]): number => roots.reduce((sum, { below }) => sum + 1 + countOf(below), 0)

/** The nodes above one, from the root; itself last. */
export function pathTo(trees: Trees, of: string): TreeNode[] {
  const name = treeOf(of)
  if (!name) return []
  const byId = new Map(trees[name].map((node) => [node.of, node]))
  const path: TreeNode[] = []
  for (let node = byId.get(of); node && !path.includes(node); node = node.parent === null ? undefined : byId.get(node.parent)) path.unshift(node)
  return path
}

/** Where a list of equal lines is cut, so that only what is seen is in the page. */
export function slice(count: number, lineHeight: number, scrollTop: number, height: number, beyond = 12): { first: number; end: number } {
  const first = Math.max(0, Math.floor(scrollTop / lineHeight) - beyond)
  return { first, end: Math.min(count, Math.ceil((scrollTop + height) / lineHeight) + beyond) }
}
