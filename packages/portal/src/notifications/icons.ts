import type { NotificationLevel, NotificationType } from '@homeroom/api/kinds';
import Award from '@lucide/svelte/icons/award';
import AtSign from '@lucide/svelte/icons/at-sign';
import BookCheck from '@lucide/svelte/icons/book-check';
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import CalendarPlus from '@lucide/svelte/icons/calendar-plus';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CreditCard from '@lucide/svelte/icons/credit-card';
import House from '@lucide/svelte/icons/house';
import Medal from '@lucide/svelte/icons/medal';
import Megaphone from '@lucide/svelte/icons/megaphone';
import MessageCircle from '@lucide/svelte/icons/message-circle';
import Repeat from '@lucide/svelte/icons/repeat';
import Star from '@lucide/svelte/icons/star';
import UserPlus from '@lucide/svelte/icons/user-plus';
import type { Component } from 'svelte';

/** A picture per type, told apart by its shape. */
export const typeIcons: Record<NotificationType, Component> = {
  enrollment: UserPlus,
  workshop_registration: CalendarPlus,
  course_completion: BookCheck,
  review: Star,
  payment: CreditCard,
  lesson_completion: CircleCheck,
  certificate: Award,
  achievement: Medal,
  subscription: Repeat,
  announcement: Megaphone,
  message: MessageCircle,
  mention: AtSign,
  workshop: CalendarClock,
  system: House,
};

/** The colour of a level: only what wants attention has one. */
export const levelColours: Record<NotificationLevel, string> = {
  info: 'text-ink-soft',
  success: 'text-success',
  warning: 'text-warning',
  error: 'text-danger',
};
