import type { RosterRow } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { notModelled } from '../testing/not-modelled.ts';
import { courseRoster } from './roster-store.ts';

const COURSE = 'course-1';
const TOPIC = `course:${COURSE}:staff`;
const PAGE = 3;
const at = (n: number) => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;

/** A class that learns, comes and goes. */
function teaching(topics: ModelTopics) {
  let rows: RosterRow[] = [];
  let moment = 0;
  let enrolled = 0;

  function enroll(): void {
    enrolled += 1;
    const userId = `student-${enrolled}`;
    const row: RosterRow = {
      enrollmentId: `enrollment-${String(enrolled).padStart(4, '0')}`,
      userId,
      name: userId,
      avatarUrl: null,
      enrolledAt: at(enrolled),
      status: 'active',
      doneCount: 0,
      requiredCount: 4,
      progressPercent: 0,
      completedAt: null,
      lastActiveAt: null,
      timeSpentSeconds: 0,
      averageScore: null,
      quizzes: [],
      certificate: null,
    };
    rows = [row, ...rows];
    topics.publish(TOPIC, 'activity.created', { activity: { type: 'enrolled', userId } });
  }

  function complete(row: RosterRow): void {
    moment += 1;
    row.doneCount = Math.min(row.doneCount + 1, row.requiredCount);
    row.progressPercent = Math.floor((100 * row.doneCount) / row.requiredCount);
    row.lastActiveAt = at(moment);
    const { userId, status, doneCount, requiredCount, progressPercent, completedAt } = row;
    const counted = {
      courseVersion: 1,
      status,
      doneCount,
      requiredCount,
      progressPercent,
      completedAt,
    };
    topics.publish(TOPIC, 'progress.changed', {
      ...counted,
      userId,
      studentName: row.name,
      lastActiveAt: row.lastActiveAt,
    });
  }

  const changes: ((row: RosterRow, n: number) => void)[] = [
    complete,
    complete,
    (row, n) => {
      row.quizzes = [{ lessonId: 'quiz', title: 'Quiz', bestScore: n % 100, attempts: 1 }];
      row.averageScore = n % 100;
      const { userId, averageScore, quizzes } = row;
      topics.publish(TOPIC, 'scores.changed', { userId, averageScore, quizzes });
    },
    (row) => {
      const revokedAt = row.certificate ? at(moment) : null;
      row.certificate = {
        id: row.userId,
        courseId: COURSE,
        serialNumber: 'HR-1',
        issuedAt: at(1),
        revokedAt,
        revocationReason: revokedAt && 'So',
      };
      const event = revokedAt ? 'certificate.revoked' : 'certificate.issued';
      topics.publish(TOPIC, event, { userId: row.userId, certificate: row.certificate });
    },
    ({ userId }) => {
      rows = rows.filter((row) => row.userId !== userId);
      topics.publish(TOPIC, 'enrollment.changed', { userId, isEnrolled: false });
    },
    () => {
      for (const row of rows) row.requiredCount += 1;
      topics.publish(TOPIC, 'roster.reevaluated', {});
    },
    enroll,
  ];
  for (let count = 0; count < 5; count += 1) enroll();

  const roster = topics.snapshot(TOPIC, ({ cursor }: { cursor?: string }) => {
    const below = rows.filter(({ enrollmentId }) => !cursor || enrollmentId < cursor);
    const items = below.slice(0, PAGE);
    return { items, nextCursor: below.length > PAGE ? (items.at(-1)?.enrollmentId ?? null) : null };
  });
  return {
    rows: () => rows,
    api: { progress: { ...notModelled.progress, roster } },
    change(n: number) {
      const row = rows[n % Math.max(rows.length, 1)];
      if (row) changes[n % changes.length]?.(row, n);
      else enroll();
    },
    changeAll: enroll,
  } satisfies Model & { rows: () => RosterRow[] };
}

it('ends with every student that was loaded as the server has them', async () => {
  await expectConvergence(teaching, (connection, model) =>
    [0, 1].map((which) => {
      const store = courseRoster(connection, COURSE, { limit: PAGE });
      return {
        store,
        act: () => void (which === 0 && store.loadMore()),
        compare() {
          const { students, status, hasMore } = shownBy(store);
          expect(status).toBe('live');
          expect(students).toEqual(model.rows().slice(0, students.length));
          expect(hasMore).toBe(students.length < model.rows().length);
          expect(students.length).toBeGreaterThanOrEqual(Math.min(PAGE, model.rows().length));
        },
      };
    }),
  );
}, 120_000);
