import type { Role } from '@homeroom/api/contract';
import { NOTIFICATION_TYPES, type NotificationType } from '@homeroom/api/kinds';

type Kind = {
  label: string;
  /** When it comes, for the one who chooses. */
  when: string;
  /** Whom it can reach; administrators, all of them. */
  roles: readonly Role[];
  /** It has no course, so that there is nothing to say of it for one. */
  isOfNoCourse?: true;
};

const everybody = ['student', 'instructor'] as const;

const kinds: Record<NotificationType, Kind> = {
  enrollment: {
    label: 'Enrollment',
    when: 'A student enrolls in one of your courses.',
    roles: ['instructor'],
  },
  workshop_registration: {
    label: 'Workshop registration',
    when: 'A student registers for one of your workshops.',
    roles: ['instructor'],
  },
  course_completion: {
    label: 'Course completion',
    when: 'A course is finished to its last lesson.',
    roles: everybody,
  },
  review: {
    label: 'Review',
    when: 'A student rates one of your courses.',
    roles: ['instructor'],
  },
  payment: {
    label: 'Payment',
    when: 'A payment succeeds or is refunded.',
    roles: everybody,
  },
  lesson_completion: {
    label: 'Lesson completion',
    when: 'You finish a lesson.',
    roles: ['student'],
  },
  certificate: {
    label: 'Certificate',
    when: 'You earn a certificate.',
    roles: ['student'],
  },
  achievement: {
    label: 'Achievement',
    when: 'You unlock an achievement.',
    roles: ['student'],
    isOfNoCourse: true,
  },
  subscription: {
    label: 'Subscription',
    when: 'Your subscription is about to end.',
    roles: ['student'],
    isOfNoCourse: true,
  },
  announcement: {
    label: 'Announcement',
    when: 'Your instructors have news for the course.',
    roles: ['student'],
  },
  message: {
    label: 'Message',
    when: 'Somebody writes to you.',
    roles: everybody,
    isOfNoCourse: true,
  },
  mention: {
    label: 'Mention',
    when: 'Somebody names you in a discussion.',
    roles: everybody,
  },
  workshop: {
    label: 'Workshop',
    when: 'A workshop of yours is near, has changed, is called off, or has a place for you.',
    roles: everybody,
  },
  system: {
    label: 'Homeroom',
    when: 'There is something to know about Homeroom itself.',
    roles: everybody,
    isOfNoCourse: true,
  },
};

/** A notification's type as people say it. */
export function typeLabel(type: NotificationType): string {
  return kinds[type].label;
}

/** Every type with its label, for a filter. */
export const typeOptions = NOTIFICATION_TYPES.map((type) => ({ type, label: kinds[type].label }));

/** A type that can reach someone, with when it comes. */
export type ReachingType = {
  type: NotificationType;
  label: string;
  when: string;
  isOfCourse: boolean;
};

/** The types that can reach someone in this role, with when they come. */
export function typesFor(role: Role): ReachingType[] {
  return NOTIFICATION_TYPES.filter(
    (type) => role === 'admin' || kinds[type].roles.includes(role),
  ).map((type) => {
    const { label, when, isOfNoCourse = false } = kinds[type];
    return { type, label, when, isOfCourse: !isOfNoCourse };
  });
}
