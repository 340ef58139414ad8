import type { ServerLoadEvent } from '@sveltejs/kit';
import { content, course, me, notifications, progress } from '../../../statements.ts';

/** The same questions as the portal's course page asks, in the same order. Whoever says who they are is believed. */
export async function load({ cookies, params }: ServerLoadEvent) {
  const userId = cookies.get('user') ?? '';
  const taken = async () => {
    const found = await course(userId, params.slug ?? '');
    const [its, own] = await Promise.all([content(userId, found.id), progress(userId, found.id)]);
    return { course: found, content: its, progress: own };
  };
  const [who, bell, page] = await Promise.all([me(userId), notifications(userId), taken()]);
  return { me: who, notifications: bell, ...page };
}
