import type * as elementAdapter from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import type { Attachment } from 'svelte/attachments';
import type { Movable } from './outline-ops.ts';

/** Before or after what it is dropped on. */
export type Edge = 'before' | 'after';

type Options = Movable & {
  /** Something is held over this one's edge; nothing any more. */
  onOver(edge: Edge | undefined): void;
  onDropped(moved: Movable, edge: Edge): void;
};

type Adapter = typeof elementAdapter;

const isMovable = (data: Record<string | symbol, unknown>): data is Movable =>
  data.kind === 'module' || data.kind === 'lesson';

/**
 * Makes a row of the outline something to drag by its handle (`[data-handle]`) and to drop others
 * on. Keys do the same through the handle's own menu: dragging is one way of two, so its code may
 * come later than the page (and only to browsers: Node can't load it).
 */
export function sortable(options: Options): Attachment<HTMLElement> {
  return (element) => {
    let stop: (() => void) | undefined;
    let isGone = false;
    void import('@atlaskit/pragmatic-drag-and-drop/element/adapter').then((adapter) => {
      if (!isGone) stop = makeSortable(adapter, element, options);
    });
    return () => {
      isGone = true;
      stop?.();
    };
  };
}

function makeSortable(
  { draggable, dropTargetForElements }: Adapter,
  element: HTMLElement,
  { kind, id, onOver, onDropped }: Options,
): () => void {
  const edgeAt = (clientY: number): Edge => {
    const { top, height } = element.getBoundingClientRect();
    return clientY < top + height / 2 ? 'before' : 'after';
  };
  const stopDragging = draggable({
    element,
    dragHandle: element.querySelector('[data-handle]') ?? undefined,
    getInitialData: () => ({ kind, id }),
    onDragStart: () => element.classList.add('opacity-40'),
    onDrop: () => element.classList.remove('opacity-40'),
  });
  const stopTaking = dropTargetForElements({
    element,
    canDrop: ({ source }) => source.element !== element && isMovable(source.data),
    onDrag: ({ location, self }) => {
      const isInnermost = location.current.dropTargets[0]?.element === self.element;
      onOver(isInnermost ? edgeAt(location.current.input.clientY) : undefined);
    },
    onDragLeave: () => onOver(undefined),
    onDrop: ({ source, location, self }) => {
      onOver(undefined);
      const isInnermost = location.current.dropTargets[0]?.element === self.element;
      if (!isInnermost || !isMovable(source.data)) return;
      const moved = { kind: source.data.kind, id: source.data.id };
      onDropped(moved, edgeAt(location.current.input.clientY));
    },
  });
  return () => {
    stopDragging();
    stopTaking();
  };
}
