import type { RequestEvent } from '@sveltejs/kit';
import { throwPageError } from '../errors/page-error.ts';
import { renderTexts } from '../markdown/render-texts.ts';

/** What one and someone else have written each other, and what one lets them see. */
export async function loadConversation({ locals }: RequestEvent, userId: string) {
  const { messages } = locals.caller;
  const [part, settings] = await Promise.all([
    messages.conversation({ userId, limit: 50 }),
    messages.settings.get(),
  ]).catch(throwPageError);
  return {
    part,
    texts: renderTexts(part.data.items.map(({ content }) => content)),
    messageSettings: settings,
  };
}
