import type { OutlineModule } from '@homeroom/api/contract';

/** How a course is arranged: its modules with the ids of their lessons, all in order. */
export type Outline = readonly OutlineModule[];

/** Where something goes: before another of its kind, or to the end (null). */
type Before = { before: string | null };

/**
 * One change of an arrangement. It can be made again, and on an arrangement that somebody else has
 * changed meanwhile: what it names and isn't there any more, it leaves alone.
 */
export type OutlineOp =
  | { kind: 'module.add'; id: string; title: string }
  | { kind: 'module.edit'; id: string; title: string; summary: string }
  | { kind: 'module.remove'; id: string }
  | ({ kind: 'module.move'; id: string } & Before)
  | ({ kind: 'lesson.move'; id: string; moduleId: string } & Before)
  | { kind: 'lesson.remove'; id: string };

/** An arrangement after a change. Pure. */
export function applyOp(outline: Outline, op: OutlineOp): Outline {
  switch (op.kind) {
    case 'module.add':
      if (outline.some(({ id }) => id === op.id)) return outline;
      return [...outline, { id: op.id, title: op.title, summary: '', lessonIds: [] }];
    case 'module.edit':
      return outline.map((module) =>
        module.id === op.id ? { ...module, title: op.title, summary: op.summary } : module,
      );
    case 'module.remove':
      return outline.filter(({ id }) => id !== op.id);
    case 'module.move': {
      const moved = outline.find(({ id }) => id === op.id);
      if (!moved || op.before === op.id) return outline;
      return inserted(outline, moved, op.before, ({ id }) => id);
    }
    case 'lesson.move':
      if (op.before === op.id || !outline.some(({ id }) => id === op.moduleId)) return outline;
      return without(outline, op.id).map((module) =>
        module.id === op.moduleId
          ? { ...module, lessonIds: inserted(module.lessonIds, op.id, op.before, (id) => id) }
          : module,
      );
    case 'lesson.remove':
      return without(outline, op.id);
  }
}

function without(outline: Outline, lessonId: string): OutlineModule[] {
  return outline.map((module) =>
    module.lessonIds.includes(lessonId)
      ? { ...module, lessonIds: module.lessonIds.filter((id) => id !== lessonId) }
      : module,
  );
}

/** A list with an item before another, or at its end; without it where it was. */
function inserted<T>(list: readonly T[], item: T, before: string | null, idOf: (one: T) => string) {
  const others = list.filter((one) => idOf(one) !== idOf(item));
  const found = others.findIndex((one) => idOf(one) === before);
  return others.toSpliced(found < 0 ? others.length : found, 0, item);
}

/** Something that can be moved. */
export type Movable = { kind: 'module' | 'lesson'; id: string };

/**
 * The change that moves something one place up or down. A lesson goes on into the neighbouring
 * module; nothing at the end of all.
 */
export function step(outline: Outline, { kind, id }: Movable, by: -1 | 1): OutlineOp | undefined {
  if (kind === 'module') {
    const at = outline.findIndex((module) => module.id === id);
    if (at < 0 || outline[at + by] === undefined) return undefined;
    return { kind: 'module.move', id, before: outline[by < 0 ? at - 1 : at + 2]?.id ?? null };
  }
  const at = outline.findIndex(({ lessonIds }) => lessonIds.includes(id));
  const home = outline[at];
  if (!home) return undefined;
  const place = home.lessonIds.indexOf(id);
  if (home.lessonIds[place + by] !== undefined) {
    const before = home.lessonIds[by < 0 ? place - 1 : place + 2] ?? null;
    return { kind: 'lesson.move', id, moduleId: home.id, before };
  }
  const next = outline[at + by];
  if (!next) return undefined;
  return {
    kind: 'lesson.move',
    id,
    moduleId: next.id,
    before: next.lessonIds[by < 0 ? -1 : 0] ?? null,
  };
}

/** The change that puts something where it was dropped: before or after another, or into a module. */
export function dropped(
  outline: Outline,
  moved: Movable,
  target: Movable,
  edge: 'before' | 'after',
): OutlineOp | undefined {
  if (moved.id === target.id) return undefined;
  if (moved.kind === 'module') {
    const home =
      target.kind === 'module'
        ? target.id
        : outline.find(({ lessonIds }) => lessonIds.includes(target.id))?.id;
    const at = outline.findIndex(({ id }) => id === home);
    if (at < 0 || home === moved.id) return undefined;
    const before = outline[edge === 'before' ? at : at + 1]?.id ?? null;
    return { kind: 'module.move', id: moved.id, before };
  }
  if (target.kind === 'module') {
    return { kind: 'lesson.move', id: moved.id, moduleId: target.id, before: null };
  }
  const home = outline.find(({ lessonIds }) => lessonIds.includes(target.id));
  if (!home) return undefined;
  const at = home.lessonIds.indexOf(target.id);
  const before = home.lessonIds[edge === 'before' ? at : at + 1] ?? null;
  return { kind: 'lesson.move', id: moved.id, moduleId: home.id, before };
}

/** Things by their ids. */
export function byId<T extends { id: string }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((one) => [one.id, one]));
}

/** What isn't in the outline: the next publication takes it out. */
export function outside<T extends { id: string }>(outline: Outline, lessons: readonly T[]): T[] {
  const shown = new Set(outline.flatMap(({ lessonIds }) => lessonIds));
  return lessons.filter(({ id }) => !shown.has(id));
}

/** Where something is, in words. */
export function placeWords(outline: Outline, { kind, id }: Movable): string {
  if (kind === 'module') {
    const at = outline.findIndex((module) => module.id === id);
    return `module ${at + 1} of ${outline.length}`;
  }
  const home = outline.find(({ lessonIds }) => lessonIds.includes(id));
  if (!home) return 'not in the course';
  return `lesson ${home.lessonIds.indexOf(id) + 1} of ${home.lessonIds.length} in “${home.title}”`;
}
