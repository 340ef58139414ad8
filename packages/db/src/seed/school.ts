import { addAttempts } from './attempts.ts';
import { addCatalog, catalogOf } from './catalog.ts';
import { addDirectMessages, addPresence, addReviews, addThreads } from './community.ts';
import { readCourses } from './course-file.ts';
import { activitiesOf, addFeed, addStaffNotifications } from './feed.ts';
import { addJourneys, journeysOf } from './journeys.ts';
import { accounts, otherStudents, type Person } from './people.ts';
import { addPoints } from './points.ts';
import { noRows, type Rows } from './rows.ts';
import { addStudentNotifications } from './student-notices.ts';
import { DAY_MS, iso } from './time.ts';
import { addTotals } from './totals.ts';
import { addWorkshops } from './workshops.ts';

/** The demo school: who is there, and all that happened up to a moment. */
export type School = { people: Person[]; rows: Rows };

/** Makes the demo school. The same `now` gives the same school. */
export function schoolAt(now: Date): School {
  const at = now.getTime();
  const people = [...Object.values(accounts), ...otherStudents()];
  const students = people.filter(({ role }) => role === 'student');
  const texts = readCourses();
  const catalog = catalogOf(texts);
  const journeys = journeysOf(students, catalog, at);

  const rows = noRows();
  addCatalog(rows, catalog, texts, at);
  addJourneys(rows, journeys);
  addAttempts(rows, journeys, at);
  addTotals(rows, students, journeys, at);
  addPoints(rows);
  // One who would rather not be compared.
  const shy = students.find(({ email }) => email.startsWith('ingrid'));
  if (shy) rows.hiddenStudents.push({ userId: shy.id, createdAt: iso(at - 9 * DAY_MS) });
  addWorkshops(rows, catalog, journeys, at);
  addThreads(rows, catalog, journeys, at);
  addDirectMessages(rows, at);
  addReviews(rows, catalog, journeys, at);
  addPresence(rows, journeys, at);

  const activities = activitiesOf(rows, journeys, catalog);
  addFeed(rows, activities);
  addStaffNotifications(rows, activities, people, iso(at - 2 * DAY_MS));
  addStudentNotifications(rows, at);
  return { people, rows };
}
