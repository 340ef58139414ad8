import type {
  LiveCursor,
  MessagesInput,
  ThreadList,
  ThreadMessage,
  ThreadPart,
  ThreadReader,
} from '@homeroom/api/contract';
import type { Reaction, ThreadLevel } from '@homeroom/api/kinds';

/** What a live query answers. */
type Answer<Data> = Promise<{ data: Data; cursor: LiveCursor }>;

/** Which of a course's threads are wanted. */
export type ThreadFilters = { lessonId?: string; isAnswered?: boolean };

/** The part of the API that the stores of discussions need. */
export type DiscussionsApi = {
  discussions: {
    threads: {
      query(
        input: ThreadFilters & { courseId: string; cursor?: string; limit?: number },
      ): Answer<ThreadList>;
    };
    readers: { query(input: { courseId: string }): Answer<{ items: ThreadReader[] }> };
    reader: { query(input: { threadId: string }): Answer<{ reader: ThreadReader | null }> };
    messages: { query(input: MessagesInput): Answer<ThreadPart> };
    send: {
      mutate(input: {
        id: string;
        threadId: string;
        content: string;
        parentId?: string;
      }): Promise<{ message: ThreadMessage }>;
    };
    edit: { mutate(input: { messageId: string; content: string }): Promise<unknown> };
    remove: { mutate(input: { messageId: string }): Promise<unknown> };
    react: {
      mutate(input: { messageId: string; emoji: Reaction; isOn: boolean }): Promise<unknown>;
    };
    markAsRead: { mutate(input: { threadId: string; number: number }): Promise<unknown> };
    markAsUnread: { mutate(input: { threadId: string; number: number }): Promise<unknown> };
    follow: { mutate(input: { threadId: string; level: ThreadLevel }): Promise<unknown> };
  };
};
