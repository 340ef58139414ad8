import { expect, it } from 'vitest';
import type { Notification } from '../notifications/contract.ts';
import { digestMail, type ClaimedDigest } from './digest-mail.ts';

const portals = { student: 'https://learn.test', instructor: 'https://teach.test' };

const item = (values: Partial<Notification>): Notification => ({
  ...{ id: '7d1f3c1e-0000-4000-8000-000000000001', type: 'announcement', level: 'info' },
  ...{ title: 'News', message: 'Text', data: {}, courseId: null, relatedEntityType: null },
  ...{ relatedEntityId: null, count: 1, readAt: null, expiresAt: null },
  ...{ archivedAt: null, snoozedUntil: null },
  createdAt: '2026-11-22T22:30:00.000000Z',
  listedAt: '2026-11-22T22:30:00.000000Z',
  ...values,
});

const digest = (values: Partial<ClaimedDigest>): ClaimedDigest => ({
  ...{ id: 'd', email: 'ann@example.test', firstName: 'Ann', role: 'student', key: 'k' },
  ...{ timeZone: 'Europe/Vienna', frequency: 'daily', total: 1, items: [item({})] },
  ...values,
});

it('says what came, when it was for its reader, and leads to it and out of it', () => {
  const mail = digestMail(digest({}), portals);
  expect(mail.subject).toBe('1 notification on Homeroom, today');
  for (const part of [mail.text, mail.html]) {
    expect(part).toContain('Sun 22 Nov, 23:30');
    expect(part).toContain('https://learn.test/notifications?open=7d1f3c1e-0000');
    expect(part).toContain('https://learn.test/settings#digest');
    expect(part).toContain('https://learn.test/digest/k');
  }
  expect(mail.headers).toMatchObject({
    'List-Unsubscribe': '<https://learn.test/digest/k>',
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  });
  const weekly = digestMail(
    digest({ role: 'instructor', frequency: 'weekly', total: 25, timeZone: 'Asia/Tokyo' }),
    portals,
  );
  expect(weekly.subject).toBe('25 notifications on Homeroom, this week');
  expect(weekly.text).toContain('Mon 23 Nov, 07:30');
  expect(weekly.text).toContain('And 24 more.');
  expect(weekly.html).toContain('https://teach.test/notifications');
});

it('lets nobody write HTML or headers into it', () => {
  const title = '</strong><script>alert("1")</script>\r\nBcc: all@example.test';
  const { html, subject, headers, text } = digestMail(
    digest({ firstName: '<b>Ann</b>', items: [item({ title, message: 'x'.repeat(5000) })] }),
    portals,
  );
  expect(html).not.toMatch(/<script|<b>/);
  expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)');
  expect(`${subject}${Object.values(headers).join('')}`).not.toMatch(/[\r\n]/);
  expect(text).not.toContain('\nBcc');
  expect(text.length).toBeLessThan(1000);
});
