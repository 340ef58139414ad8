import type { RequestEvent } from '@sveltejs/kit';
import { throwPageError } from '../errors/page-error.ts';

/** What the page of workshops needs: those to come, and the last that were. */
export async function loadWorkshops({ locals }: RequestEvent) {
  const { workshops } = locals.caller;
  const [upcoming, past] = await Promise.all([
    workshops.list({ when: 'upcoming' }),
    workshops.list({ when: 'past', limit: 20 }),
  ]).catch(throwPageError);
  return { upcoming, past };
}
