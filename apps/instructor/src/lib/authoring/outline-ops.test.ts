import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOp, dropped, step, type Outline, type OutlineOp } from './outline-ops.ts';

const outline: Outline = [
  { id: 'A', title: 'A', summary: '', lessonIds: ['1', '2', '3'] },
  { id: 'B', title: 'B', summary: '', lessonIds: [] },
  { id: 'C', title: 'C', summary: '', lessonIds: ['4'] },
];
/** As `A123 B C4`. */
const told = (one: Outline) => one.map(({ id, lessonIds }) => id + lessonIds.join('')).join(' ');
const after = (op: OutlineOp | undefined) => (op ? told(applyOp(outline, op)) : 'nothing');

describe('an outline', () => {
  it('is arranged by steps, which take a lesson on into the next module', () => {
    expect(after(step(outline, { kind: 'lesson', id: '2' }, -1))).toBe('A213 B C4');
    expect(after(step(outline, { kind: 'lesson', id: '2' }, 1))).toBe('A132 B C4');
    expect(after(step(outline, { kind: 'lesson', id: '3' }, 1))).toBe('A12 B3 C4');
    expect(after(step(outline, { kind: 'lesson', id: '1' }, -1))).toBe('nothing');
    expect(after(step(outline, { kind: 'lesson', id: '4' }, -1))).toBe('A123 B4 C');
    expect(after(step(outline, { kind: 'module', id: 'A' }, 1))).toBe('B A123 C4');
    expect(after(step(outline, { kind: 'module', id: 'C' }, -1))).toBe('A123 C4 B');
    expect(after(step(outline, { kind: 'module', id: 'C' }, 1))).toBe('nothing');
  });

  it('is arranged by what is dropped where', () => {
    const lesson = { kind: 'lesson', id: '1' } as const;
    const on = (kind: 'lesson' | 'module', id: string) => ({ kind, id });
    expect(after(dropped(outline, lesson, on('lesson', '3'), 'after'))).toBe('A231 B C4');
    expect(after(dropped(outline, lesson, on('lesson', '4'), 'before'))).toBe('A23 B C14');
    expect(after(dropped(outline, lesson, on('module', 'B'), 'before'))).toBe('A23 B1 C4');
    expect(after(dropped(outline, lesson, on('lesson', '2'), 'before'))).toBe('A123 B C4');
    const module = { kind: 'module', id: 'C' } as const;
    expect(after(dropped(outline, module, on('lesson', '2'), 'before'))).toBe('C4 A123 B');
    expect(after(dropped(outline, module, on('module', 'A'), 'after'))).toBe('A123 C4 B');
  });

  const id = fc.constantFrom('1', '2', '3', '4', '5');
  const moduleId = fc.constantFrom('A', 'B', 'C', 'D');
  const op: fc.Arbitrary<OutlineOp> = fc.oneof(
    fc.record({ kind: fc.constant('module.add' as const), id: moduleId, title: fc.constant('T') }),
    fc.record({ kind: fc.constant('module.remove' as const), id: moduleId }),
    fc.record({
      kind: fc.constant('module.move' as const),
      id: moduleId,
      before: fc.option(moduleId),
    }),
    fc.record({
      kind: fc.constant('lesson.move' as const),
      id,
      moduleId,
      before: fc.option(id),
    }),
    fc.record({ kind: fc.constant('lesson.remove' as const), id }),
  );

  it('has each lesson and module once at most, whatever is done to it; a repeat changes nothing', () => {
    fc.assert(
      fc.property(fc.array(op), op, (before, last) => {
        const once = [...before, last].reduce(applyOp, outline);
        expect(applyOp(once, last)).toEqual(once);
        for (const ids of [once.map((one) => one.id), once.flatMap((one) => one.lessonIds)]) {
          expect(new Set(ids).size).toBe(ids.length);
        }
      }),
    );
  });
});
