import { loadConversation } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = (event) => loadConversation(event, event.params.user);
