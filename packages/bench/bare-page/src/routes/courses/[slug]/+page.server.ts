import type { ServerLoadEvent } from '@sveltejs/kit';
import {
  content,
  conversations,
  course,
  me,
  notifications,
  progress,
  reviews,
} from '../../../statements.ts';

/** The same questions as the portal's course page asks, in the same order. Whoever says who they are is believed. */
export async function load({ cookies, params }: ServerLoadEvent) {
  const userId = cookies.get('user') ?? '';
  const taken = async () => {
    const found = await course(userId, params.slug ?? '');
    const [its, own, said] = await Promise.all([
      content(userId, found.id),
      progress(userId, found.id),
      reviews(userId, found.id),
    ]);
    // As the portal does: the outline stands in the content, and isn't sent twice.
    return { course: { ...found, modules: [] }, content: its, progress: own, reviews: said };
  };
  const [who, bell, letters, page] = await Promise.all([
    me(userId),
    notifications(userId),
    conversations(userId),
    taken(),
  ]);
  return { me: who, notifications: bell, conversations: letters, ...page };
}
