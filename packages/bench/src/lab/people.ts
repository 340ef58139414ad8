import type { Sql } from 'postgres';

/** Makes published courses, each with an instructor of its own; gives their ids. */
export async function makeCourses(sql: Sql, count: number): Promise<string[]> {
  const teachers = await makeUsers(sql, count, 'teacher');
  const rows = await sql<{ id: string }[]>`
    with made as (
      insert into public.courses (slug, title, status, created_by)
      select 'course-' || number, 'Course ' || number, 'published', teacher
      from unnest(${teachers}::uuid[]) with ordinality as given (teacher, number)
      returning id, created_by
    ), taught as (
      insert into public.course_instructors (course_id, user_id) select id, created_by from made
    )
    select id from made`;
  return rows.map(({ id }) => id);
}

/** Makes users, all at once; gives their ids. */
export async function makeUsers(sql: Sql, count: number, name = 'person'): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into auth.users (id, email)
    select gen_random_uuid(), ${name} || number || '@bench.homeroom.test'
    from generate_series(1, ${count}::integer) as number
    returning id`;
  return rows.map(({ id }) => id);
}
