/** The last of a list; `Array.prototype.at` is younger than the browsers served here. */
export function last<T>(list: readonly T[]): T | undefined {
  return list[list.length - 1]
}
