import { cancelWorkshop, changeWorkshop, loadPlan } from '@homeroom/portal/server';

export const load = loadPlan;

export const actions = { change: changeWorkshop, cancel: cancelWorkshop };
