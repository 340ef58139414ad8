import type { SeededCourse } from './catalog.ts';
import { DIRECT_MESSAGES, REVIEWS, THREADS } from './conversations.ts';
import type { Journey } from './journeys.ts';
import { accounts } from './people.ts';
import { idOf, randomOf } from './random.ts';
import type { Rows } from './rows.ts';
import { DAY_MS, iso, MINUTE_MS } from './time.ts';

/** Writes threads with their messages; only those who were in the course by then say something. */
export function addThreads(rows: Rows, catalog: SeededCourse[], journeys: Journey[], now: number) {
  for (const thread of THREADS) {
    const course = catalog.find(({ slug }) => slug === thread.slug);
    if (!course) continue;
    const threadId = idOf('thread', thread.title);
    const random = randomOf(thread.title);
    const members = journeys.filter((way) => way.course === course && !isDemo(way.student.id));
    const present = members.filter((way) => way.enrolledAt < now - thread.daysAgo * DAY_MS);
    const voices = (present.length > 6 ? present : members).map((way) => way.student.id);
    const senderOf = (who: ThreadVoice) =>
      typeof who === 'number'
        ? voices[(who + thread.title.length) % voices.length]
        : who === 'teacher'
          ? course.teacherId
          : accounts[who].id;
    let at = now - thread.daysAgo * DAY_MS - random.between(10, 600) * MINUTE_MS;
    const createdAt = iso(at);
    thread.said.forEach(([who, content], index) => {
      rows.threadMessages.push({
        id: idOf('message', thread.title, index),
        threadId,
        senderId: senderOf(who),
        content,
        createdAt: iso(at),
      });
      at += random.between(3, Math.min(420, thread.daysAgo * 180)) * MINUTE_MS;
    });
    const createdBy = senderOf(thread.said[0]?.[0] ?? 'teacher');
    rows.discussionThreads.push({
      id: threadId,
      courseId: course.id,
      title: thread.title,
      createdBy,
      isPinned: thread.isPinned ?? false,
      isLocked: thread.isLocked ?? false,
      createdAt,
      updatedAt: rows.threadMessages.at(-1)?.createdAt,
    });
  }
}

type ThreadVoice = (typeof THREADS)[number]['said'][number][0];

/** Writes conversations of two; the last ones may still be unread. */
export function addDirectMessages(rows: Rows, now: number) {
  DIRECT_MESSAGES.forEach((conversation, number) => {
    const [first, second] = conversation.with;
    const random = randomOf(`direct messages ${number}`);
    const [lowId, highId] = [accounts[first].id, accounts[second].id].sort();
    // Two may have talked more than once.
    if (!rows.conversations.some((one) => one.lowId === lowId && one.highId === highId)) {
      rows.conversations.push({
        id: idOf('conversation', lowId ?? '', highId ?? ''),
        lowId,
        highId,
      });
    }
    let at = now - conversation.daysAgo * DAY_MS;
    conversation.said.forEach((content, index) => {
      const isOwn = index % 2 === 0;
      const isUnread = index >= conversation.said.length - (conversation.unread ?? 0);
      rows.messages.push({
        id: idOf('direct message', number, index),
        senderId: accounts[isOwn ? first : second].id,
        recipientId: accounts[isOwn ? second : first].id,
        content,
        createdAt: iso(at),
        readAt: isUnread ? null : iso(at + 90_000),
      });
      at += random.between(4, 540) * MINUTE_MS;
    });
  });
}

/** Writes reviews, by students who have done at least a third of the course. */
export function addReviews(rows: Rows, catalog: SeededCourse[], journeys: Journey[], now: number) {
  for (const course of catalog) {
    const texts = REVIEWS[course.slug] ?? [];
    const readers = journeys.filter(
      (way) => way.course === course && way.progress >= 34 && !isDemo(way.student.id),
    );
    texts.slice(0, readers.length).forEach(([rating, comment], index) => {
      const way = readers[index];
      if (!way) return;
      const last = way.completedAt ?? way.lessons.at(-1)?.at ?? way.enrolledAt;
      const createdAt = iso(Math.min(last + 50 * MINUTE_MS, now - 5 * MINUTE_MS));
      rows.courseReviews.push({
        id: idOf('review', way.student.id, course.id),
        userId: way.student.id,
        courseId: course.id,
        rating,
        comment,
        createdAt,
        updatedAt: createdAt,
      });
    });
  }
}

/** Writes who is where: a few are online as the demo begins. */
export function addPresence(rows: Rows, journeys: Journey[], now: number) {
  const random = randomOf('presence');
  for (const way of journeys) {
    const isHere = !isDemo(way.student.id) && way.completedAt === null && random.chance(0.14);
    const last = way.lessons.at(-1)?.at ?? way.enrolledAt;
    const lastSeenAt = isHere ? now - random.between(5, 50) * 1000 : last;
    rows.studentPresence.push({
      id: idOf('presence', way.student.id, way.course.id),
      userId: way.student.id,
      courseId: way.course.id,
      status: isHere ? (random.chance(0.7) ? 'online' : 'away') : 'offline',
      lastSeenAt: iso(lastSeenAt),
    });
  }
}

function isDemo(id: string): boolean {
  return Object.values(accounts).some((account) => account.id === id);
}
