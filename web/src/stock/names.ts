import type { Move } from '../api/closing'
import { useWords } from '../i18n'
import { useTrees } from '../ledger/use'

/** Stocks, fuels and kinds of moves in the words of the page. */
export function useStockWords() {
  const { t, te, say } = useWords()
  const { trees } = useTrees()
  const owners = () => [...(trees.value?.organisations ?? []), ...(trees.value?.places ?? [])]
  return {
    owners,
    of: (of: string): string => {
      const node = owners().find((one) => one.of === of)
      return node ? say(node.name) : of
    },
    fuel: (fuel: string): string => (te(`stock.fuels.${fuel}`) ? t(`stock.fuels.${fuel}` as 'stock.fuels.coal') : fuel),
    kind: (kind: Move['kind']): string => t(`stock.kinds.${kind}`),
    basis: (basis: string): string => (te(`stock.bases.${basis}`) ? t(`stock.bases.${basis}` as 'stock.bases.told') : basis),
  }
}
