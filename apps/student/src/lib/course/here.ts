import type { PresenceStore } from '@homeroom/realtime';
import { createContext } from 'svelte';

/** Who is in the course that is open, for all of its pages. */
export const [useHere, setHere] = createContext<PresenceStore>();
