import type {
  ConversationList,
  ConversationPart,
  DirectMessage,
  LiveCursor,
} from '@homeroom/api/contract';

/** What a live query answers. */
type Answer<Data> = Promise<{ data: Data; cursor: LiveCursor }>;
/** A person and a message's number in the conversation with them. */
type Mark = { mutate(input: { userId: string; number: number }): Promise<unknown> };

/** The part of the API that the stores of direct messages need. */
export type MessagesApi = {
  messages: {
    conversations: {
      query(input: { cursor?: string; limit?: number }): Answer<ConversationList>;
    };
    conversation: {
      query(input: { userId: string; before?: number; limit?: number }): Answer<ConversationPart>;
    };
    send: {
      mutate(input: {
        id: string;
        userId: string;
        content: string;
      }): Promise<{ message: DirectMessage }>;
    };
    markAsRead: Mark;
    markAsUnread: Mark;
    markAsDelivered: Mark;
  };
};
