import type { LearningApi, NotificationsApi } from '../connection/api.ts';

const refuse = () => Promise.reject(new Error('No model of the server answers this'));
const query = { query: refuse };
const mutate = { mutate: refuse };

/** Calls of the API that a model of the server leaves out. */
export const notModelled: LearningApi & NotificationsApi = {
  catalog: { content: query },
  progress: { course: query, completeLesson: mutate, submitQuiz: mutate },
  achievements: { list: query },
  leaderboard: { top: query, follow: mutate, setHidden: mutate },
  notifications: {
    list: query,
    markAsRead: mutate,
    markAsUnread: mutate,
    markAllAsRead: mutate,
    remove: mutate,
  },
};
