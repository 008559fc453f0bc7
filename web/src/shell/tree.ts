/** What is done to the lines of a tree; `L` is a line. */
export interface TreeMoves<L> {
  focus(index: number): void
  /** Into what is below, which is opened first; else out of it, which is closed first. */
  aside(line: L, index: number, into: boolean): void
  act(line: L): void
  /** By keys of this tree alone. */
  others?: Record<string, (line: L) => void>
}

/** A key in a tree whose lines stand below each other. With Ctrl, Alt or Meta it is the browser's. */
export function onTreeKey<L>(event: KeyboardEvent, lines: readonly L[], index: number, { focus, aside, act, others = {} }: TreeMoves<L>): void {
  const line = lines[index]
  if (!line || event.ctrlKey || event.metaKey || event.altKey) return
  const moves: Record<string, (line: L) => void> = {
    ...others,
    ArrowDown: () => focus(index + 1),
    ArrowUp: () => focus(index - 1),
    Home: () => focus(0),
    End: () => focus(lines.length - 1),
    ArrowLeft: () => aside(line, index, false),
    ArrowRight: () => aside(line, index, true),
    Enter: act,
    ' ': act,
  }
  const move = moves[event.key]
  if (!move) return
  event.preventDefault()
  move(line)
}
