import type { ThreadMessage } from '@homeroom/api/contract';

/** Messages that one person wrote in one go. */
export type MessageGroup = { key: string; messages: ThreadMessage[] };

/** What is written within this of the last one belongs together, ms. */
const TOGETHER_MS = 5 * 60_000;

/** Groups messages, oldest first, by who wrote them and when. A reply stands by itself. */
export function groupMessages(messages: readonly ThreadMessage[]): MessageGroup[] {
  const groups: MessageGroup[] = [];
  for (const message of messages) {
    const last = groups.at(-1)?.messages.at(-1);
    const isTogether =
      last !== undefined &&
      last.sender !== null &&
      last.sender.id === message.sender?.id &&
      message.parent === null &&
      Date.parse(message.createdAt) - Date.parse(last.createdAt) < TOGETHER_MS;
    if (isTogether) groups.at(-1)?.messages.push(message);
    else groups.push({ key: message.id, messages: [message] });
  }
  return groups;
}
