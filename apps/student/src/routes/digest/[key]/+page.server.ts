import { stopDigest } from '@homeroom/portal/server';
import type { Actions } from './$types';

export const actions = {
  default: (event) => stopDigest(event, event.params.key),
} satisfies Actions;
