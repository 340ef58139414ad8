import { loadThread } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = (event) => loadThread(event, event.params.thread);
