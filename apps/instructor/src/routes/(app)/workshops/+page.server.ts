import { loadWorkshops } from '@homeroom/portal/server';

export const load = loadWorkshops;
