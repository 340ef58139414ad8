import { adviceFor, createServiceClient } from '../index.ts';

/** Somebody who has learned elsewhere: their address, and the lessons they have done there. */
export type Learner = { email: string; lessonIds: string[] };

/**
 * Brings learners into a course from another platform. Needs a key with the scopes users:read,
 * enrollments:write, progress:write and notifications:write. May be run again: nothing is doubled.
 */
export async function importLearners(
  { url, key }: { url: string; key: string },
  courseId: string,
  learners: Learner[],
): Promise<{ imported: number; problems: string[] }> {
  const { services } = createServiceClient({ url, key });
  const problems: string[] = [];
  let imported = 0;
  for (const { email, lessonIds } of learners) {
    try {
      const { items } = await services.users.query({ email });
      const [user] = items;
      if (user === undefined) throw new Error(`${email} has no account`);
      const userId = user.id;
      await services.enroll.mutate({ userId, courseId });
      // Those of one moment travel in one request.
      await Promise.all(
        lessonIds.map((lessonId) => services.completeLesson.mutate({ userId, lessonId })),
      );
      await services.notify.mutate({
        userId,
        courseId,
        title: 'Welcome',
        message: 'What you have learned elsewhere is here already.',
        // The same for every run, so that nobody is welcomed twice.
        idempotencyKey: `import ${courseId}`,
      });
      imported += 1;
    } catch (error) {
      problems.push(`${email}: ${adviceFor(error)}`);
    }
  }
  return { imported, problems };
}
