import { csvFile, findCourse, throwPageError } from '@homeroom/portal/server';
import { error } from '@sveltejs/kit';
import { readPeriod } from '#lib/analytics/period.ts';
import type { RequestHandler } from './$types';

const CHARTS = ['days', 'funnel', 'ratings', 'quizzes', 'hours'] as const;

/** One of a course's charts as a file. */
export const GET: RequestHandler = async (event) => {
  const { params, locals, url } = event;
  const chart = CHARTS.find((name) => name === url.searchParams.get('chart'));
  if (!chart) error(404, 'There is no such chart.');
  const { id: courseId } = await findCourse(event, params.slug);
  const { timeZone } = await locals.caller.identity.me();
  const period = readPeriod(url.searchParams, timeZone, Date.now());
  const file = locals.caller.activity.analyticsFile({ courseId, chart, ...period });
  return csvFile(await file.catch(throwPageError));
};
