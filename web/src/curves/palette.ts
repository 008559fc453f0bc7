import type { Medium } from '../api/schema'

export interface LineStyle {
  /** Name of the custom property that holds the colour in either theme. */
  colour: string
  dash: number[]
}

const TINTS = 4
const DASHES: number[][] = [[], [7, 4], [2, 3], [10, 4, 2, 4], [4, 2]]

/**
 * Curves of one medium share its hue and differ in tint, then in dash. The fourth tint is near the third for eyes that
 * do not part red from green, and is always one dash ahead.
 */
export function lineStyles(media: Medium[]): LineStyle[] {
  const used = new Map<Medium, number>()
  return media.map((medium) => {
    const index = used.get(medium) ?? 0
    used.set(medium, index + 1)
    const tint = (index % TINTS) + 1
    const round = Math.floor(index / TINTS) + (tint === TINTS ? 1 : 0)
    return { colour: `--${medium}-${tint}`, dash: DASHES[round % DASHES.length] ?? [] }
  })
}
