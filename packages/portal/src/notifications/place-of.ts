import type { Notification } from '@homeroom/api/contract';

/** Where in the portal that is, which a notification tells of: a message, a conversation or an announcement. */
export function placeOfNotification({
  relatedEntityType,
  relatedEntityId,
  courseId,
  data,
}: Pick<Notification, 'relatedEntityType' | 'relatedEntityId' | 'courseId' | 'data'>):
  { href: string; label: string } | undefined {
  if (relatedEntityType === 'conversation' && typeof data.sender_id === 'string') {
    return { href: `/messages/${data.sender_id}`, label: 'Open the conversation' };
  }
  if (relatedEntityType === 'message_report') {
    return { href: '/admin/reports', label: 'See what was reported' };
  }
  if (relatedEntityType === 'announcement' && relatedEntityId !== null) {
    return { href: `/announcements/${relatedEntityId}`, label: 'Read it' };
  }
  if (relatedEntityType !== 'thread' || relatedEntityId === null || courseId === null) {
    return undefined;
  }
  const number = typeof data.message_number === 'number' ? `?message=${data.message_number}` : '';
  return {
    href: `/courses/${courseId}/discussions/${relatedEntityId}${number}`,
    label: 'Open the discussion',
  };
}
