import { NOTIFICATION_TYPES, type NotificationType } from '@homeroom/api/kinds';

const labels: Record<NotificationType, string> = {
  enrollment: 'Enrollment',
  workshop_registration: 'Workshop registration',
  course_completion: 'Course completion',
  review: 'Review',
  payment: 'Payment',
  lesson_completion: 'Lesson completion',
  certificate: 'Certificate',
  achievement: 'Achievement',
  subscription: 'Subscription',
  announcement: 'Announcement',
  message: 'Message',
  mention: 'Mention',
  system: 'Homeroom',
};

/** A notification's type as people say it. */
export function typeLabel(type: NotificationType): string {
  return labels[type];
}

/** Every type with its label, for a filter or a form. */
export const typeOptions = NOTIFICATION_TYPES.map((type) => ({ type, label: labels[type] }));
