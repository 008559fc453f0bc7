import { computed } from 'vue'
import { useWords } from '../i18n'
import type { SheetWords } from './sheet'

/** The heads of an exported table. */
export function useSheetWords() {
  const { t } = useWords()
  return computed<SheetWords>(() => ({
    from: t('ledger.from'),
    to: t('ledger.to'),
    part: t('consumption.part'),
    value: t('ledger.value'),
    estimated: t('ledger.estimatedAmount'),
    cost: `${t('consumption.cost')} [${t('ledger.currency')}]`,
    closed: t('ledger.closed'),
    ways: {
      measured: t('ledger.ways.measured'),
      manual: t('ledger.ways.manual'),
      estimated: t('ledger.ways.estimated'),
      disputed: t('ledger.ways.disputed'),
      missing: t('ledger.ways.missing'),
    },
  }))
}
