import { computed, onBeforeUnmount, onMounted, type Ref, ref } from 'vue'

interface Bars {
  box: Readonly<Ref<HTMLElement | null>>
  /** How wide it is before it was measured, and what stands to the left and to the right of the bars [px]. */
  outer: number
  left: number
  right: number
  count: () => number
  open: () => void
}

/** The width of a chart of bars, and the bar under pointer or keys. */
export function useBarCursor({ box, outer: first, left, right, count, open }: Bars) {
  const outer = ref(first)
  const cursor = ref<number | null>(null)
  const width = computed(() => Math.max(60, outer.value - left - right))
  const slot = computed(() => width.value / Math.max(1, count()))
  let watching: ResizeObserver | null = null

  function onPointer(event: PointerEvent): void {
    const from = box.value?.getBoundingClientRect().left ?? 0
    const index = Math.floor((event.clientX - from - left) / slot.value)
    cursor.value = index >= 0 && index < count() ? index : null
  }

  function onKey(event: KeyboardEvent): void {
    const last = count() - 1
    const at = cursor.value
    const acts: Record<string, () => void> = {
      ArrowLeft: () => (cursor.value = at === null ? last : Math.max(0, at - 1)),
      ArrowRight: () => (cursor.value = at === null ? 0 : Math.min(last, at + 1)),
      Home: () => (cursor.value = 0),
      End: () => (cursor.value = last),
      Enter: open,
      Escape: () => (cursor.value = null),
    }
    const act = acts[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }

  onMounted(() => {
    const measure = (): void => void (box.value?.clientWidth && (outer.value = box.value.clientWidth))
    measure()
    watching = new ResizeObserver(measure)
    if (box.value) watching.observe(box.value)
  })
  onBeforeUnmount(() => watching?.disconnect())

  return { outer, cursor, width, slot, onPointer, onKey }
}
