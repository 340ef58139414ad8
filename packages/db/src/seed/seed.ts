import { sql } from 'drizzle-orm';
import { connect } from '../connect.ts';
import * as schema from '../schema.ts';
import { writePeople } from './accounts.ts';
import { BOARDS } from './boards.ts';
import { accounts } from './people.ts';
import { noRows, type Rows } from './rows.ts';
import { schoolAt } from './school.ts';

export { DEMO_PASSWORD } from './people.ts';

/** What {@link seed} takes. */
export type SeedOptions = {
  /** Role postgres, or another that may write `auth.users` and passes row level security. */
  dbUrl: string;
  /** The moment up to which the demo school has a history. */
  now?: Date;
  onProgress?(message: string): void;
};

/** Where the demo accounts sign in. */
export const demoAccounts = {
  student: accounts.student.email,
  student2: accounts.student2.email,
  instructor: accounts.marta.email,
  admin: accounts.admin.email,
};

/** Postgres takes at most 65,535 parameters in a statement; our widest table has 19 columns. */
const ROWS_PER_STATEMENT = 1000;

/** In an order in which rows find what they refer to. */
const TABLES = Object.keys(noRows()) as (keyof Rows)[];

/**
 * Fills a migrated database with the demo school: the same for the same `now`, all of it or none
 * of it. Does nothing where the school is already. Tells nobody: `homeroom.quiet` keeps the
 * triggers from publishing weeks of history as if it happened now.
 */
export async function seed(options: SeedOptions): Promise<{ isSeeded: boolean }> {
  const { dbUrl, now = new Date(), onProgress = () => undefined } = options;
  const database = connect(dbUrl, { max: 1 });
  try {
    return await database.transaction(async (transaction) => {
      await transaction.execute(sql`select pg_advisory_xact_lock(hashtext('homeroom.seed'))`);
      const known = await transaction.execute(
        sql`select 1 from auth.users where id = ${accounts.admin.id}`,
      );
      if (known.length > 0) return { isSeeded: false };
      await transaction.execute(sql`select set_config('homeroom.quiet', 'on', true)`);

      const { people, rows } = schoolAt(now);
      onProgress(`Demo data: ${people.length} people`);
      await writePeople(transaction, people, now);
      for (const name of TABLES) {
        onProgress(`Demo data: ${rows[name].length} ${wordsOf(name)}`);
        for (let from = 0; from < rows[name].length; from += ROWS_PER_STATEMENT) {
          const part = rows[name].slice(from, from + ROWS_PER_STATEMENT);
          const insert = transaction.insert(schema[name]).values(part);
          // Achievements may have been declared by a migration; everything else is new.
          await (name === 'achievements' ? insert.onConflictDoNothing() : insert);
        }
      }
      for (const statement of BOARDS) await transaction.execute(statement);
      await transaction.execute(sql`select private.recount_courses()`);
      await transaction.execute(
        sql`select private.keep_lessons(id, version) from courses where status <> 'draft'`,
      );
      return { isSeeded: true };
    });
  } finally {
    await database.$client.end();
  }
}

/** "lessonCompletions" as a person says it: "lesson completions". */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
