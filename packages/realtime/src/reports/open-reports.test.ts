import { expect, it } from 'vitest';
import { applyReport, type Report, type ReportPage } from './open-reports.ts';

const report = (day: number, status = 'open'): Report => ({
  id: `report ${day}`,
  status,
  createdAt: `2026-01-0${day}T00:00:00Z`,
});
const page = (nextCursor: string | null): ReportPage<Report> => ({
  items: [report(5), report(3)],
  nextCursor,
});
const days = (of: ReportPage<Report>) => of.items.map(({ createdAt }) => Number(createdAt[9]));

it('shows what is new at its place, and no more what is decided', () => {
  const told = (one: Report) => days(applyReport(page(null), { data: { report: one } }));
  expect(told(report(6))).toEqual([6, 5, 3]);
  expect(told(report(4))).toEqual([5, 4, 3]);
  expect(told(report(5, 'removed'))).toEqual([3]);
  expect(told(report(5))).toEqual([5, 3]);
  expect(told(report(1))).toEqual([5, 3, 1]);
});

it('leaves what is older than the page to the pages that follow', () => {
  expect(days(applyReport(page('next'), { data: { report: report(1) } }))).toEqual([5, 3]);
});
