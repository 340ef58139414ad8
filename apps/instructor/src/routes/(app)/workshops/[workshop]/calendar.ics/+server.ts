export { answerCalendarEvent as GET } from '@homeroom/portal/server';
