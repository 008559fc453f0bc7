import type { findingsZh } from './findings.zh'

export const findingsEn: typeof findingsZh = {
  findings: {
    title: 'Findings',
    help: 'Use and data that are not as usual: since when, how much more, and the likely cause. What you confirm or dismiss teaches the meter.',
    which: 'Which to show',
    list: { open: 'To decide', decided: 'Decided', gone: 'Explained away' },
    none: { open: 'Nothing to decide at present.', decided: 'Nothing was decided yet.', gone: 'Nothing was explained away by readings that came late.' },
    more: 'Only the newest 200 are shown.',
    state: { open: 'to decide', confirmed: 'confirmed', dismissed: 'dismissed', gone: 'explained away' },
    ongoing: 'going on',
    act: { confirm: 'Confirm', known: 'Known', wrong: 'Not one', reopen: 'Open again' },
    hint: {
      confirm: 'It is as found, and something is to be done.',
      known: 'It is known or meant; the like of it will not be told again.',
      wrong: 'There is nothing wrong; the like of it will not be told again.',
      reopen: 'Takes the decision back.',
    },
    done: { confirm: 'Confirmed', known: 'Noted as known', wrong: 'Dismissed', reopen: 'Open again' },
    decided: 'Decided by {who}, {at}: {why}',
    method: 'Method {method}, greatest score {peak}, threshold of the meter {threshold}',
    tariff: 'tariff {tariff}',
    factors: 'factor set {set}',
    meter: 'To the meter',
    curve: 'Use of each hour, and what was expected',
    used: 'used',
    expected: 'expected',
    band: 'usual',
    marked: 'finding',
    table: 'As a table',
    hour: 'Hour',
  },
}
