/** What both portals show. */
export { default as IdentityPage } from './identity/IdentityPage.svelte';
export { default as Bell } from './notifications/Bell.svelte';
export { default as NotificationCentre } from './notifications/NotificationCentre.svelte';
export { default as PortalShell } from './shell/PortalShell.svelte';
export { default as ErrorPage } from './errors/ErrorPage.svelte';
