import { sendRecovery } from '@homeroom/portal/server';

export const actions = { default: sendRecovery };
