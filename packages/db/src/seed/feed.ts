import type { SeededCourse } from './catalog.ts';
import type { Journey } from './journeys.ts';
import type { Person } from './people.ts';
import { idOf } from './random.ts';
import type { Rows } from './rows.ts';

type Activity = Rows['studentActivity'][number] & { entityId: string };

/** Everything that students did in the courses, oldest first, with the row it is about. */
export function activitiesOf(rows: Rows, journeys: Journey[], catalog: SeededCourse[]): Activity[] {
  const activities: Activity[] = [];
  const add = (
    activityType: Activity['activityType'],
    userId: string | null | undefined,
    courseId: string | null | undefined,
    entityId: string,
    createdAt: string | null | undefined,
    data: Record<string, unknown> = {},
  ) => {
    if (!userId || !courseId || !createdAt) return;
    const id = idOf('activity', activityType, userId, entityId);
    activities.push({ id, userId, courseId, activityType, data, createdAt, entityId });
  };

  for (const { userId, courseId, id, enrolledAt, completedAt } of rows.enrollments) {
    add('enrolled', userId, courseId, id ?? '', enrolledAt);
    add('completed_course', userId, courseId, id ?? '', completedAt);
  }
  for (const { student, course, lessons, modules } of journeys) {
    const titles = new Map(
      course.modules.flatMap((one) => one.lessons).map((l) => [l.id, l.title]),
    );
    for (const { lessonId, at } of lessons) {
      const data = { lesson_id: lessonId, lesson_title: titles.get(lessonId) };
      add('completed_lesson', student.id, course.id, lessonId, new Date(at).toISOString(), data);
    }
    for (const { moduleId, title, at } of modules) {
      const data = { module_id: moduleId, module_title: title };
      add('completed_module', student.id, course.id, moduleId, new Date(at).toISOString(), data);
    }
  }
  for (const review of rows.courseReviews) {
    const data = { rating: review.rating };
    add('reviewed', review.userId, review.courseId, review.id ?? '', review.createdAt, data);
  }
  for (const payment of rows.payments) {
    const data = { amount_cents: payment.amountCents, currency: 'EUR' };
    add('paid', payment.userId, payment.courseId, payment.id ?? '', payment.paidAt, data);
  }
  for (const one of rows.workshopRegistrations) {
    const workshop = rows.workshops.find(({ id }) => id === one.workshopId);
    const data = { workshop_id: workshop?.id, workshop_title: workshop?.title };
    const what = { ...data, status: one.status === 'waitlisted' ? 'waitlisted' : 'registered' };
    add('registered', one.userId, workshop?.courseId, one.workshopId, one.registeredAt, what);
    add('checked_in', one.userId, workshop?.courseId, one.workshopId, one.checkedInAt, data);
  }
  const teachers = new Set(catalog.map(({ teacherId }) => teacherId));
  for (const thread of rows.discussionThreads) {
    if (!thread.createdBy || teachers.has(thread.createdBy)) continue;
    const data = { thread_id: thread.id, thread_title: thread.title };
    add('asked', thread.createdBy, thread.courseId, thread.id ?? '', thread.createdAt, data);
  }
  return activities.sort((a, b) => String(a.createdAt).localeCompare(String(b.createdAt)));
}

/** Writes the feed of each course. */
export function addFeed(rows: Rows, activities: Activity[]) {
  for (const { entityId: _, ...activity } of activities) rows.studentActivity.push(activity);
}

/** What instructors are told, in the words of the triggers that tell it when it happens live. */
const TOLD = {
  enrolled: ['enrollment', 'New Student Enrolled', '%s enrolled in "%c"', 'enrollment'],
  registered: [
    'workshop_registration',
    'New Workshop Registration',
    '%s registered for a workshop of "%c"',
    'workshop',
  ],
  completed_course: ['course_completion', 'Course Completed', '%s completed "%c"', 'enrollment'],
  reviewed: ['review', 'New Course Review', '%s reviewed "%c"', 'review'],
  paid: ['payment', 'Payment Received', '%s paid for "%c"', 'payment'],
} as const;

/** Writes the instructors' notifications: read up to a few days ago, some of the newer ones too. */
export function addStaffNotifications(
  rows: Rows,
  activities: Activity[],
  people: Person[],
  readUntil: string,
) {
  const names = new Map(people.map((one) => [one.id, `${one.firstName} ${one.lastName}`]));
  const titles = new Map(rows.courses.map((course) => [course.id, course.title]));
  for (const { userId, courseId, entityId, createdAt, ...activity } of activities) {
    if (!(activity.activityType in TOLD)) continue;
    const [type, title, sentence, relatedEntityType] =
      TOLD[activity.activityType as keyof typeof TOLD];
    const student = names.get(userId) ?? '';
    const course = titles.get(courseId) ?? '';
    for (const staff of rows.courseInstructors.filter((one) => one.courseId === courseId)) {
      const isRead = String(createdAt) < readUntil;
      rows.notifications.push({
        id: idOf('notification', staff.userId, activity.id ?? ''),
        userId: staff.userId,
        type,
        level: 'info',
        title,
        message: sentence.replace('%s', () => student).replace('%c', () => course),
        data: {
          ...activity.data,
          course_id: courseId,
          course_title: course,
          student_id: userId,
          student_name: student,
        },
        courseId,
        relatedEntityType,
        relatedEntityId: entityId,
        createdAt,
        readAt: isRead ? new Date(Date.parse(String(createdAt)) + 3_600_000).toISOString() : null,
      });
    }
  }
}
