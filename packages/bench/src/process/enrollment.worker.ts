import postgres, { type Sql } from 'postgres';
import { offer } from './worker.ts';

type School = { url: string; connections: number; users: string[]; courses: string[] };

let sql: Sql | undefined;
let listener: Sql | undefined;
let school: School | undefined;
/** The next pair of a user and a course, by statement: nobody enrolls twice. */
const nextPair = new Map<string, number>();

/** Enrolls as fast as so many connections can, with a listener to what is notified. */
const tasks = {
  async open(given: School): Promise<void> {
    school = given;
    sql = postgres(given.url, { max: given.connections, onnotice: () => undefined });
    listener = postgres(given.url, { max: 1, onnotice: () => undefined });
    await listener.listen('enrollments', () => undefined);
  },

  /** Enrollments a second, each by a statement that is given the user and the course. */
  async rate({ statement, forMs }: { statement: string; forMs: number }): Promise<number> {
    if (!sql || !school) throw new Error('The school comes first');
    const { users, courses, connections } = school;
    const client = sql;
    const began = performance.now();
    const ends = began + forMs;
    let done = 0;
    const enrollOnAndOn = async () => {
      while (performance.now() < ends) {
        const pair = nextPair.get(statement) ?? 0;
        nextPair.set(statement, pair + 1);
        // The next student each time, in the next course: as many people enroll at the same
        // moment as there are connections, and each has topics of their own.
        const round = Math.floor(pair / users.length);
        const user = users[pair % users.length];
        const course = round < courses.length ? courses[(pair + round) % courses.length] : null;
        if (!user || !course) throw new Error('Everybody is enrolled everywhere');
        await client.unsafe(statement, [user, course], { prepare: true });
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: connections }, enrollOnAndOn));
    return (done * 1000) / (performance.now() - began);
  },
};

export type EnrollmentTasks = typeof tasks;

offer(tasks, async () => {
  await Promise.all([sql?.end(), listener?.end()]);
});
