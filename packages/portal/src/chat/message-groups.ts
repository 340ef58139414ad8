/** What belongs to a message wherever it is written. */
type Said = { id: string; createdAt: string };

/** Messages that one person wrote in one go. */
export type MessageGroup<Message> = {
  key: string;
  messages: Message[];
  /** It is the first of a day. */
  beginsDay: boolean;
  /** What is new to the reader begins with it. */
  beginsNew: boolean;
};

/** How messages are put together. */
export type Grouping<Message> = {
  /** Who wrote it; null when they have left. */
  senderOf(message: Message): string | null;
  /** The day of a moment, for the reader. */
  dayOf(at: number): string;
  /** The first message that is new to the reader. */
  firstNewId?: string | undefined;
  /** Whether a message never follows another, such as a reply. */
  standsAlone?(message: Message): boolean;
};

/** What is written within this of the last one belongs together, ms. */
const TOGETHER_MS = 5 * 60_000;

/** Groups messages, oldest first, by who wrote them and when; a day and what is new begin anew. */
export function groupMessages<Message extends Said>(
  messages: readonly Message[],
  { senderOf, dayOf, firstNewId, standsAlone = () => false }: Grouping<Message>,
): MessageGroup<Message>[] {
  const groups: MessageGroup<Message>[] = [];
  let last: Message | undefined;
  let lastDay: string | undefined;
  for (const message of messages) {
    const at = Date.parse(message.createdAt);
    const day = dayOf(at);
    const beginsDay = day !== lastDay;
    const beginsNew = message.id === firstNewId;
    const sender = senderOf(message);
    const isTogether =
      last !== undefined &&
      !beginsDay &&
      !beginsNew &&
      sender !== null &&
      sender === senderOf(last) &&
      !standsAlone(message) &&
      at - Date.parse(last.createdAt) < TOGETHER_MS;
    if (isTogether) groups.at(-1)?.messages.push(message);
    else groups.push({ key: message.id, messages: [message], beginsDay, beginsNew });
    last = message;
    lastDay = day;
  }
  return groups;
}
