import { changeCalendarAddress, loadWorkshops } from '@homeroom/portal/server';

export const load = loadWorkshops;

export const actions = { calendar: changeCalendarAddress };
