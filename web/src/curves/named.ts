import type { Curve } from './curve'
import type { LineStyle } from './palette'

/** A curve with what people call it and how it is drawn. */
export interface NamedCurve {
  curve: Curve
  name: string
  style: LineStyle
  /** A raw reading further away than this is not the one under the cursor [ms]. */
  reachMs: number
}
