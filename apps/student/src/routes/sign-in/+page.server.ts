import { sendMagicLink, signIn } from '@homeroom/portal/server';

export const actions = { password: signIn, link: sendMagicLink };
