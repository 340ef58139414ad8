import { signOut } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';

/** Signing out is an action; whoever comes by address is sent on. */
export const load = () => redirect(303, '/');

export const actions = { default: signOut };
