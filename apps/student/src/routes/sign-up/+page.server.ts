import { signUp } from '@homeroom/portal/server';

export const actions = { default: signUp };
