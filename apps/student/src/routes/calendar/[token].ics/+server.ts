export { answerCalendar as GET } from '@homeroom/portal/server';
