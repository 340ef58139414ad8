import type { SafeHtml } from '@homeroom/portal';

/** What a question of a quiz asks, and why its answer is right: made safe by the server. */
export type Prompt = { id: string; prompt: SafeHtml; explanation: SafeHtml };
