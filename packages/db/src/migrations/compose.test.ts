import { describe, expect, it } from 'vitest';
import { changedCode, composeMigration } from './compose.ts';

const file = (path: string, sql: string) => ({ path, sql });

describe('a migration', () => {
  it('has the tables first, then the functions, then the policies that call them', () => {
    const migration = composeMigration(
      'CREATE TABLE a ();--> statement-breakpoint\nCREATE POLICY p ON a;--> statement-breakpoint\nCREATE INDEX i ON a;',
      [file('a/f.sql', 'create function f();\n')],
    );
    const order = ['CREATE TABLE', 'CREATE INDEX', 'create function', 'CREATE POLICY'];
    const places = order.map((part) => migration.indexOf(part));
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places).not.toContain(-1);
  });

  it('holds the files that changed since the newest one that holds them', () => {
    const first = composeMigration('', [file('a.sql', 'one;\n'), file('b.sql', 'two;\n')]);
    const second = composeMigration('', [file('a.sql', 'one, changed;\n')]);
    const now = [file('a.sql', 'one, changed;\n'), file('b.sql', 'two;\n')];
    expect(changedCode(now, [first, second])).toEqual([]);
    expect(changedCode(now, [first])).toEqual([now[0]]);
    expect(changedCode([...now, file('c.sql', 'new;\n')], [first, second])).toEqual([
      file('c.sql', 'new;\n'),
    ]);
  });
});
