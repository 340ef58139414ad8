import { requireRole } from '@homeroom/portal/server';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = (event) => requireRole(event, ['admin']);
