import { loadNotifications } from '@homeroom/portal/server';

export const load = loadNotifications;
