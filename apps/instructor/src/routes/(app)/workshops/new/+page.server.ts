import { loadNewPlan, planWorkshop } from '@homeroom/portal/server';

export const load = loadNewPlan;

export const actions = { default: planWorkshop };
