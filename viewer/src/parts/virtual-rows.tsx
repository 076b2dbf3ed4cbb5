import type { ComponentChildren, JSX, RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

export interface VirtualRowsProps {
  readonly count: number;
  /** Pixels; the same for all rows. */
  readonly rowHeight: number;
  /** The element that scrolls. */
  readonly scroller: RefObject<HTMLElement | null>;
  /** Draws the rows from `from` to `to`, without `to`. */
  readonly draw: (from: number, to: number) => ComponentChildren;
  readonly role?: 'rowgroup';
}

/** Rows beyond the edges, so that a fast scroll shows no gap. */
const SPARE_ROWS = 8;

/** Draws the rows in sight only: the elements of the page do not grow with the rows. */
export function VirtualRows({ count, rowHeight, scroller, draw, role }: VirtualRowsProps): JSX.Element {
  const [[from, to], setRange] = useState<readonly [number, number]>([0, 40]);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return undefined;
    const look = (): void => {
      const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - SPARE_ROWS);
      const last = Math.min(count, Math.ceil((box.scrollTop + box.clientHeight) / rowHeight) + SPARE_ROWS);
      // In steps, so that most scroll events change nothing.
      const step = SPARE_ROWS / 2;
      const next = [Math.floor(first / step) * step, Math.min(count, Math.ceil(last / step) * step)] as const;
      setRange((now) => (now[0] === next[0] && now[1] === next[1] ? now : next));
    };
    look();
    box.addEventListener('scroll', look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(box);
    return () => {
      box.removeEventListener('scroll', look);
      watch.disconnect();
    };
  }, [count, rowHeight, scroller]);
  const end = Math.min(to, count);
  return (
    <div class="virtual" role={role} style={{ height: `${count * rowHeight}px` }}>
      <div
        class="virtual-window"
        role={role === undefined ? undefined : 'presentation'}
        style={{ transform: `translateY(${Math.min(from, end) * rowHeight}px)` }}
      >
        {draw(Math.min(from, end), end)}
      </div>
    </div>
  );
}
