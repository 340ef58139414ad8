import { failureOf, toApiError } from '@homeroom/portal/server';
import * as z from 'zod';
import type { Actions, PageServerLoad } from './$types';

/** How many of each the page shows at once. */
const keysShown = 100;
const entriesShown = 50;

export const load: PageServerLoad = async ({ locals, url }) => {
  const before = z.coerce.number().int().optional().catch(undefined);
  const { serviceKeys } = locals.caller;
  const [keys, log] = await Promise.all([
    serviceKeys.list({ limit: keysShown }),
    serviceKeys.log({
      limit: entriesShown,
      before: before.parse(url.searchParams.get('before') ?? undefined),
    }),
  ]);
  return { keys, log };
};

const text = (form: FormData, name: string) => {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
};

export const actions: Actions = {
  create: async ({ locals, request }) => {
    const form = await request.formData();
    const asked = {
      name: text(form, 'name'),
      scopes: form.getAll('scopes').map(String),
      callsPerMinute: Number(text(form, 'callsPerMinute')),
      expiresInDays:
        text(form, 'expiresInDays') === '' ? null : Number(text(form, 'expiresInDays')),
    };
    try {
      const input = asked as Parameters<typeof locals.caller.serviceKeys.create>[0];
      const { key } = await locals.caller.serviceKeys.create(input);
      return { key, name: asked.name };
    } catch (cause) {
      const { fields = [] } = toApiError(cause);
      const invalid = Object.fromEntries(
        fields.map(({ field, reason }) => [field.split('.')[0] ?? '', reason]),
      );
      return failureOf(cause, { asked, invalid });
    }
  },

  revoke: async ({ locals, request }) => {
    const form = await request.formData();
    try {
      await locals.caller.serviceKeys.revoke({ id: text(form, 'id') });
      return { revoked: true };
    } catch (cause) {
      return failureOf(cause);
    }
  },
};
