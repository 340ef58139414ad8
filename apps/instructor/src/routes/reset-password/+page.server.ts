import { requireSession, resetPassword } from '@homeroom/portal/server';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = (event) => {
  requireSession(event);
};

export const actions: Actions = { default: resetPassword };
