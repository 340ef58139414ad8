import type { RealtimeApi } from '../connection/api.ts';

const refuse = () => Promise.reject(new Error('No model of the server answers this'));
const query = { query: refuse };
const mutate = { mutate: refuse };

/** Calls of the API that a model of the server leaves out. */
export const notModelled: Omit<RealtimeApi, 'live'> = {
  activity: { feed: query, stats: query },
  catalog: { content: query },
  progress: { course: query, roster: query, completeLesson: mutate, submitQuiz: mutate },
  certificates: { verify: query },
  achievements: { list: query },
  leaderboard: { top: query, follow: mutate, setHidden: mutate },
  notifications: {
    list: query,
    markAsRead: mutate,
    markAsUnread: mutate,
    markAllAsRead: mutate,
    archive: mutate,
    unarchive: mutate,
    snooze: mutate,
    unsnooze: mutate,
    remove: mutate,
  },
  discussions: {
    threads: query,
    readers: query,
    reader: query,
    messages: query,
    send: mutate,
    edit: mutate,
    remove: mutate,
    react: mutate,
    markAsRead: mutate,
    markAsUnread: mutate,
    follow: mutate,
  },
  attendance: { list: query, checkIn: mutate, undo: mutate, checkInByCode: mutate },
  workshops: { view: query, mine: query, register: mutate, unregister: mutate },
  messages: {
    conversations: query,
    conversation: query,
    send: mutate,
    markAsRead: mutate,
    markAsUnread: mutate,
    markAsDelivered: mutate,
  },
  presence: {
    list: query,
    contacts: query,
    keep: mutate,
    typing: mutate,
    settings: { set: mutate },
  },
};
