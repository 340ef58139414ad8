import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';

/** A user that a builder made. */
export type BuiltUser = {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  role: 'student' | 'instructor' | 'admin';
};

/** A course that a builder made. */
export type BuiltCourse = { id: string; slug: string; title: string };

/** A workshop that a builder made. */
export type BuiltWorkshop = { id: string; courseId: string; title: string };

/** A module that a builder made, with its lessons in their order. */
export type BuiltModule = { id: string; courseId: string; lessonIds: string[] };

/** What a lesson can be told to be; a required, published text unless told otherwise. */
export type LessonValues = {
  title?: string;
  kind?: 'text' | 'video' | 'quiz';
  content?: string;
  isPublished?: boolean;
  isRequired?: boolean;
  durationMinutes?: number;
  quiz?: Record<string, unknown>;
};

/** What the rows need to be told apart from those made before. */
type Numbers = { next(): number };

/** Makes rows of one kind each, believable and distinct, when awaited. */
export type Builders = {
  student(values?: Partial<Omit<BuiltUser, 'role'>>): UserBuilder;
  instructor(values?: Partial<Omit<BuiltUser, 'role'>>): UserBuilder;
  admin(values?: Partial<Omit<BuiltUser, 'role'>>): UserBuilder;
  /** A published course, without a price unless told otherwise. */
  course(values?: CourseValues): CourseBuilder;
  /** A published module with so many lessons, or with lessons as told. */
  module(course: { id: string }, lessons?: number | LessonValues[]): Promise<BuiltModule>;
  /** A workshop that starts tomorrow. */
  workshop(
    course: BuiltCourse,
    values?: { title?: string; capacity?: number },
  ): Promise<BuiltWorkshop>;
};

type CourseValues = Partial<BuiltCourse> & {
  status?: 'draft' | 'published' | 'archived';
  priceCents?: number;
};

/** The builders on a database. */
export function builders(sql: Sql): Builders {
  let last = 0;
  const numbers: Numbers = { next: () => (last += 1) };
  return {
    student: (values) => new UserBuilder(sql, numbers, 'student', values),
    instructor: (values) => new UserBuilder(sql, numbers, 'instructor', values),
    admin: (values) => new UserBuilder(sql, numbers, 'admin', values),
    course: (values) => new CourseBuilder(sql, numbers, values),
    module: (course, lessons = 1) =>
      buildModule(
        sql,
        numbers.next(),
        course.id,
        typeof lessons === 'number' ? Array.from({ length: lessons }, () => ({})) : lessons,
      ),
    async workshop(course, { title = 'Office hours', capacity } = {}) {
      const workshop = { id: randomUUID(), courseId: course.id, title };
      await sql`
        insert into public.workshops (id, course_id, title, capacity, starts_at, ends_at)
        values (
          ${workshop.id}, ${course.id}, ${title}, ${capacity ?? null},
          now() + interval '1 day', now() + interval '25 hours'
        )`;
      return workshop;
    },
  };
}

async function buildModule(
  sql: Sql,
  number: number,
  courseId: string,
  lessons: LessonValues[],
): Promise<BuiltModule> {
  const id = randomUUID();
  await sql`
    insert into public.modules (id, course_id, title, position)
    values (${id}, ${courseId}, ${`Module ${number}`}, ${number})`;
  const rows = lessons.map((lesson, at) => ({
    id: randomUUID(),
    module_id: id,
    title: `Lesson ${number}.${at + 1}`,
    kind: 'text',
    content: 'What there is to learn.',
    position: at + 1,
    isPublished: true,
    isRequired: true,
    durationMinutes: 10,
    quiz: null,
    ...lesson,
  }));
  await sql`
    insert into public.lessons (
      id, module_id, title, kind, content, position, is_published, is_required, duration_minutes,
      quiz
    )
    select *
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as lesson (
      id uuid, module_id uuid, title text, kind text, content text, position integer,
      "isPublished" boolean, "isRequired" boolean, "durationMinutes" integer, quiz jsonb
    )`;
  return { id, courseId, lessonIds: rows.map((row) => row.id) };
}

/** Awaited like the promise it makes on its first `then`. */
abstract class Builder<Built> implements PromiseLike<Built> {
  #built: Promise<Built> | undefined;

  protected abstract build(): Promise<Built>;

  then<Next = Built, Failure = never>(
    onBuilt?: ((built: Built) => Next | PromiseLike<Next>) | null,
    onFailure?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Next | Failure> {
    this.#built ??= this.build();
    return this.#built.then(onBuilt, onFailure);
  }
}

class UserBuilder extends Builder<BuiltUser> {
  readonly #sql: Sql;
  readonly #user: BuiltUser;
  readonly #courses: { id: string }[] = [];

  constructor(
    sql: Sql,
    numbers: Numbers,
    role: BuiltUser['role'],
    values: Partial<BuiltUser> = {},
  ) {
    super();
    this.#sql = sql;
    const number = numbers.next();
    this.#user = {
      id: randomUUID(),
      email: `${role}${number}@example.test`,
      firstName: role === 'student' ? 'Sam' : 'Iris',
      lastName: `Number${number}`,
      ...values,
      role,
    };
  }

  /** Enrolls the student, as an enrollment of their own would. */
  enrolledIn(...courses: { id: string }[]): this {
    this.#courses.push(...courses);
    return this;
  }

  protected async build(): Promise<BuiltUser> {
    const { id, email, firstName, lastName, role } = this.#user;
    const names = JSON.stringify({ first_name: firstName, last_name: lastName });
    await this.#sql`
      insert into auth.users (id, email, aud, role, raw_user_meta_data)
      values (${id}, ${email}, 'authenticated', 'authenticated', ${names}::text::jsonb)`;
    await this.#sql`update public.users set role = ${role} where id = ${id}`;
    for (const course of this.#courses) {
      await this.#sql`
        insert into public.enrollments (user_id, course_id) values (${id}, ${course.id})`;
    }
    return this.#user;
  }
}

class CourseBuilder extends Builder<BuiltCourse> {
  readonly #sql: Sql;
  readonly #course: BuiltCourse & Required<CourseValues>;
  readonly #instructors: { id: string }[] = [];

  constructor(sql: Sql, numbers: Numbers, values: CourseValues = {}) {
    super();
    this.#sql = sql;
    const number = numbers.next();
    this.#course = {
      id: randomUUID(),
      slug: `course-${number}`,
      title: `Course ${number}`,
      status: 'published',
      priceCents: 0,
      ...values,
    };
  }

  /** Gives the course its instructors. */
  taughtBy(...instructors: { id: string }[]): this {
    this.#instructors.push(...instructors);
    return this;
  }

  protected async build(): Promise<BuiltCourse> {
    const { id, slug, title, status, priceCents } = this.#course;
    await this.#sql`
      insert into public.courses (id, slug, title, summary, status, price_cents, published_at)
      values (
        ${id}, ${slug}, ${title}, 'A course for tests', ${status}, ${priceCents},
        case when ${status} = 'published' then now() end
      )`;
    for (const instructor of this.#instructors) {
      await this.#sql`
        insert into public.course_instructors (course_id, user_id) values (${id}, ${instructor.id})`;
    }
    return { id, slug, title };
  }
}

export type { CourseBuilder, UserBuilder };
