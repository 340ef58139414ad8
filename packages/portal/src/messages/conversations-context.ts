import type { ConversationsStore } from '@homeroom/realtime';
import { createContext } from 'svelte';

/**
 * The person's conversations: one store for the icon in the shell and the list, so both show the
 * same count, and what arrives counts as delivered wherever one is.
 */
export const [useConversations, setConversations] = createContext<ConversationsStore>();
