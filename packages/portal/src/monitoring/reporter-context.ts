import { createContext } from 'svelte';

/** Takes what broke in a part of the page, by its name. */
export type ReportError = (place: string, error: unknown) => void;

/** Where errors of the page go, for every component below `<LivePortal>`. */
export const [useReportError, setReportError] = createContext<ReportError>();
