/** A tariff as a figure names it: its id, and the digest of all it says. */
export function tariffOf(name: string): { id: string; digest: string } {
  const colon = name.lastIndexOf(':')
  return colon < 0 ? { id: name, digest: '' } : { id: name.slice(0, colon), digest: name.slice(colon + 1) }
}
