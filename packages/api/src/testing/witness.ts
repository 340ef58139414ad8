import type { TestDatabase } from '@homeroom/db/testing';

const WATCHED = [
  'enrollments',
  'lesson_completions',
  'module_completions',
  'course_reviews',
  'payments',
  'workshop_registrations',
  'discussion_threads',
];

/**
 * Writes down what is written into the tables, by triggers that know nothing of ours: what a feed has
 * to be, in the table `witnessed`. A module is done by a student who does a lesson of it, not by who
 * takes its last one away.
 */
export async function witness({ sql }: TestDatabase): Promise<void> {
  await sql.unsafe(`
    create table witnessed (
      course_id uuid,
      user_id uuid,
      activity_type text,
      transaction_id xid8 default pg_current_xact_id()
    );
    create index on witnessed (user_id, transaction_id);
    create function witness() returns trigger language plpgsql set search_path = public as $$
    declare
      it jsonb := to_jsonb(new);
      was text := case tg_op when 'UPDATE' then to_jsonb(old) ->> 'status' else '' end;
      status text := it ->> 'status';
      person uuid := coalesce(it ->> 'user_id', it ->> 'created_by');
      course uuid := coalesce(
        it ->> 'course_id',
        (select course_id::text from workshops where id::text = it ->> 'workshop_id'),
        (
          select course_id::text from modules left join lessons on lessons.module_id = modules.id
          where modules.id::text = it ->> 'module_id' or lessons.id::text = it ->> 'lesson_id'
          limit 1
        )
      );
    begin
      insert into witnessed (course_id, user_id, activity_type)
      select course, person, kind
      from (values
        ('enrolled', tg_table_name = 'enrollments' and was in ('', 'cancelled') and status <> 'cancelled'),
        ('completed_course', tg_table_name = 'enrollments' and was <> 'completed' and status = 'completed'),
        ('paid', tg_table_name = 'payments' and was = '' and status = 'succeeded' and person is not null),
        ('registered', tg_table_name = 'workshop_registrations' and was = ''),
        ('checked_in', tg_table_name = 'workshop_registrations' and was <> 'checked_in' and status = 'checked_in'),
        ('reviewed', tg_table_name = 'course_reviews' and tg_op = 'INSERT'),
        ('asked', tg_table_name = 'discussion_threads' and tg_op = 'INSERT'),
        ('completed_lesson', tg_table_name = 'lesson_completions' and tg_op = 'INSERT'),
        ('completed_module', tg_table_name = 'module_completions' and exists (
          select from witnessed
          where user_id = person
            and transaction_id = pg_current_xact_id()
            and activity_type = 'completed_lesson'
        ))
      ) as happened (kind, is_so)
      where is_so;
      return null;
    end $$;`);
  for (const table of WATCHED) {
    await sql.unsafe(
      `create trigger witness after insert or update on ${table} for each row execute function witness()`,
    );
  }
}
