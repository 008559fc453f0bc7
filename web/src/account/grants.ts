import type { Grant, Role } from '../api/people'
import { dateTime } from '../format/time'
import { useWords } from '../i18n'
import { useZone } from './act'

/** All of them, as they are offered; the last three are of the whole installation and of three accounts. */
export const ROLES: readonly Role[] = ['reader', 'filler', 'approver', 'statistician', 'energy_officer', 'duty', 'partner', 'auditor', 'system_administrator', 'security_administrator', 'audit_administrator']
export const OF_INSTALLATION: readonly Role[] = ['system_administrator', 'security_administrator', 'audit_administrator']

/** Grants in words: 统计人员 · 教育局及所属. */
export function useGrantWords() {
  const { t, say } = useWords()
  const zone = useZone()
  const role = (word: Role): string => t(`role.${word}`)

  function of({ role: word, organisation, name, meters }: Grant): string {
    if (OF_INSTALLATION.includes(word)) return t('people.installation')
    if (meters.length) return t('people.contract', { meters: meters.join(', ') })
    if (organisation === null) return t('people.everything')
    return name ? t('people.below', { name: say(name) }) : t('people.unknown', { id: organisation })
  }

  /** When it holds, where that is not from the past to no end. */
  function when({ from, to }: Grant, now: number): string {
    const at = (ms: number): string => dateTime(ms, zone()).slice(0, 16)
    return [from > now ? t('people.since', { time: at(from) }) : '', to === null ? '' : t('people.until', { time: at(to) })].filter(Boolean).join(' ')
  }

  return { role, of, when, words: (grant: Grant): string => `${role(grant.role)} · ${of(grant)}` }
}
