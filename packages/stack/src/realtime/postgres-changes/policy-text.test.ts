import { describe, expect, it } from 'vitest';
import { alternatives, askOfSubject, readTables, tokenize, unwrapSelects } from './policy-text.ts';

const joined = (tokens: string[]): string => tokens.join(' ');

describe('tokens', () => {
  it.each([
    `(a = 'it''s ) or (auth.uid()'::text)`,
    `("Odd ""name" = E'a\\\\b\\'c'::text)`,
    `((a ->> 'b'::text) <> ALL (ARRAY[1.5, 2]))`,
  ])('are the same SQL when joined: %s', (text) => {
    expect(joined(tokenize(text)).replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });
});

describe('calls of the claims', () => {
  it('become columns, but not within strings', () => {
    const tokens = tokenize(`((owner = auth.uid()) AND (body <> 'auth.uid()'::text))`);
    expect(joined(askOfSubject(tokens))).toBe(
      `( ( owner = realtime_subject.realtime_subject_uid ) AND ( body <> 'auth.uid()' :: text ) )`,
    );
  });

  it('are left alone when they are not of the claims', () => {
    expect(joined(askOfSubject(tokenize('auth.team()')))).toBe('auth . team ( )');
  });
});

describe('selects without sources', () => {
  it.each([
    ['(owner = ( SELECT auth.uid() AS uid))', '( owner = ( auth . uid ( ) ) )'],
    [
      `((( SELECT (auth.jwt() ->> 'a'::text)))::int = b)`,
      `( ( ( ( auth . jwt ( ) ->> 'a' :: text ) ) ) :: int = b )`,
    ],
    ['( SELECT ( SELECT true AS bool) AS bool)', '( ( true ) )'],
  ])('are unwrapped: %s', (text, expected) => {
    expect(joined(unwrapSelects(tokenize(text)))).toBe(expected);
  });

  it('keep their sources', () => {
    const text = '(EXISTS ( SELECT 1 FROM public.members m WHERE (m.a = b)))';
    expect(joined(unwrapSelects(tokenize(text)))).toBe(joined(tokenize(text)));
  });
});

describe('tables that are read', () => {
  it('are found with their alias, and take a condition', () => {
    const tokens = tokenize(
      'a IN ( SELECT m.a FROM public.members m WHERE m.b) AND b IN ( SELECT "T".b FROM public."T")',
    );
    expect(readTables(tokens)).toMatchObject([
      { schema: 'public', name: 'members', alias: 'm' },
      { schema: 'public', name: 'T', alias: 'T' },
    ]);
    const put = [...tokens];
    for (const { at, put: wrap } of readTables(tokens).reverse()) put.splice(at + 1, 0, wrap('c'));
    expect(joined(put)).toBe(
      'a IN ( SELECT m . a FROM public . members m WHERE ( c ) AND m . b ) AND b IN ( SELECT "T" . b FROM public . "T" WHERE ( c ) )',
    );
  });

  it('are not taken where they are joined', () => {
    expect(readTables(tokenize('( SELECT 1 FROM (public.a JOIN public.b ON (x)))'))).toEqual([]);
    expect(readTables(tokenize('( SELECT 1 FROM public.a, public.b)'))).toEqual([]);
  });
});

describe('alternatives', () => {
  it.each([
    ['((a) OR (b) OR ((c) OR (d)))', 4],
    ['((a OR b) AND c)', 1],
    [`(a = 'x OR y'::text)`, 1],
    ['(CASE WHEN (a OR b) THEN c ELSE d END)', 1],
  ])('of %s are %i', (text, count) => {
    expect(alternatives(tokenize(text))).toHaveLength(count);
  });
});
