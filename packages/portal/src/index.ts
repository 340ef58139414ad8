/** What both portals show. */
export { default as IdentityPage } from './identity/IdentityPage.svelte';
export { default as Bell } from './notifications/Bell.svelte';
export { default as NotificationCentre } from './notifications/NotificationCentre.svelte';
export { default as PortalRoot } from './shell/PortalRoot.svelte';
export { default as PortalShell } from './shell/PortalShell.svelte';
export { default as VisitorFrame } from './shell/VisitorFrame.svelte';
export { default as Vignette } from './identity/Vignette.svelte';
export { default as ErrorPage } from './errors/ErrorPage.svelte';
export { default as SettingsPage } from './settings/SettingsPage.svelte';
export { useApi, type Api } from './shell/api-context.ts';
export { default as CourseMark } from './catalog/CourseMark.svelte';
export { default as NewThread } from './discussions/NewThread.svelte';
export { default as ThreadList } from './discussions/ThreadList.svelte';
export { default as ThreadPage } from './discussions/ThreadPage.svelte';
export { default as WorkshopsPage } from './attendance/WorkshopsPage.svelte';
export { placeOf } from './attendance/place-words.ts';
export { checkInPhase } from './attendance/check-in-window.ts';
