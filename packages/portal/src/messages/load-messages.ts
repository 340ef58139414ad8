import type { RequestEvent } from '@sveltejs/kit';
import { throwPageError } from '../errors/page-error.ts';
import { renderTexts } from '../markdown/render-texts.ts';

/** What one and someone else have written each other, and what one lets them see. */
export async function loadConversation({ locals }: RequestEvent, userId: string) {
  const { messages, presence } = locals.caller;
  const [part, settings, contact] = await Promise.all([
    messages.conversation({ userId, limit: 50 }),
    messages.settings.get(),
    presence.contacts({ userId }),
  ]).catch(throwPageError);
  return {
    part,
    contact,
    texts: renderTexts(part.data.items.map(({ content }) => content)),
    messageSettings: settings,
  };
}
