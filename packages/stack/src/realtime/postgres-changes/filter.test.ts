import { describe, expect, it } from 'vitest';
import { FilterError, parseFilter } from './filter.ts';

describe('parseFilter', () => {
  it.each([
    ['id=eq.1', [['id', 'eq', false, ['1']]]],
    ['name=eq.a.b=c', [['name', 'eq', false, ['a.b=c']]]],
    [
      'id=gt.0,id=lt.100',
      [
        ['id', 'gt', false, ['0']],
        ['id', 'lt', false, ['100']],
      ],
    ],
    ['name=eq."a,b"', [['name', 'eq', false, ['a,b']]]],
    ['name=eq."say \\"hi\\""', [['name', 'eq', false, ['say "hi"']]]],
    ['name=eq.5" pipe', [['name', 'eq', false, ['5" pipe']]]],
    ['id=in.(1,2,3)', [['id', 'in', false, ['1', '2', '3']]]],
    ['name=in.(a,"b,c")', [['name', 'in', false, ['a', 'b,c']]]],
    ['status=not.in.(draft,archived)', [['status', 'in', true, ['draft', 'archived']]]],
    ['at=is.null', [['at', 'is', false, ['null']]]],
    ['body=not.ilike.%x%', [['body', 'ilike', true, ['%x%']]]],
    ['body=eq.', [['body', 'eq', false, ['']]]],
  ])('reads %s', (text, expected) => {
    const read = parseFilter(text).map((one) => [
      one.column,
      one.operator,
      one.isNegated,
      one.values,
    ]);
    expect(read).toEqual(expected);
  });

  it.each([undefined, null, '', '  '])('has no conditions for %j', (text) => {
    expect(parseFilter(text)).toEqual([]);
  });

  it.each(['id', 'id=1', 'id=equals.1', 'id=eq.1,', 'id=in.1', 'id=in.()', 5])(
    'refuses %j',
    (text) => {
      expect(() => parseFilter(text)).toThrow(FilterError);
    },
  );

  it('refuses more than 100 values of in', () => {
    const values = Array.from({ length: 101 }, (_, n) => n).join();
    expect(() => parseFilter(`id=in.(${values})`)).toThrow(FilterError);
  });
});
