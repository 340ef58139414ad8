import { expect, it } from 'vitest';
import { school } from '../testing/school.ts';
import { until, watch } from '../testing/stage.ts';
import { keepPresent } from './beats.ts';
import { contacts } from './contacts-store.ts';
import { presence, type PresenceState } from './store.ts';

const names =
  (...wanted: string[]) =>
  (state: PresenceState) =>
    state.onlineUsers.map(({ name }) => name).join() === wanted.join();

it('shows who comes, once for two tabs, with the server’s name, and not who only looks; and who goes', async () => {
  await using here = await school();
  const course = await here.db.a.course();
  const ann = await here.db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await here.db.a.student({ firstName: 'Bob', lastName: 'Two' }).enrolledIn(course);
  const cem = await here.db.a.student({ firstName: 'Cem', lastName: 'Three' }).enrolledIn(course);
  const place = { course: course.id };
  const seenByCem = presence(here.tab(cem), place, { isWatching: true });
  watch(seenByCem);
  const tabs = [here.tab(ann), here.tab(ann)].map((tab) => watch(presence(tab, place)));
  const seenByBob = presence(here.tab(bob), place);
  watch(seenByBob);
  const both = await until(seenByBob, names('Ann One', 'Bob Two'));
  expect(both).toMatchObject({ totalOnline: 2, isCrowd: false });

  await until(seenByCem, names('Ann One', 'Bob Two'));

  const hiding = presence(here.tab(ann), place);
  const third = watch(hiding);
  expect(await hiding.updateStatus('invisible')).toBeUndefined();
  await until(seenByBob, names('Bob Two'));
  for (const { stop } of [...tabs, third]) stop();
});

it('shows whether those with whom one writes are there, without asking again', async () => {
  await using here = await school();
  const course = await here.db.a.course();
  const ann = await here.db.a.student().enrolledIn(course);
  const bob = await here.db.a.student().enrolledIn(course);
  await here.db.sql`
    insert into messages (sender_id, recipient_id, content) values (${ann.id}, ${bob.id}, 'Hi')`;
  const tabOfBob = here.tab(bob);
  keepPresent(tabOfBob);
  const seenByBob = contacts(tabOfBob);
  watch(seenByBob);
  await until(seenByBob, (people) => people.get(ann.id)?.status === 'offline');
  keepPresent(here.tab(ann));
  await until(seenByBob, (people) => people.get(ann.id)?.status === 'online');
});
