/** What all administrators' requests have in common. */
import { callerOf } from '../caller.ts';
import type { AuthRestSettings } from '../wire.ts';
import { AuthError } from './errors.ts';

/** @throws AuthError unless the request speaks for `service_role` */
export async function requireServiceRole(
  request: Request,
  settings: AuthRestSettings,
): Promise<void> {
  const caller = await callerOf(request, settings);
  switch (caller) {
    case 'expired-token':
    case 'invalid-token':
      throw new AuthError(403, 'bad_jwt', 'invalid JWT: unable to parse or verify signature');
    case 'no-api-key':
    case 'invalid-api-key':
    case 'secret-key-in-browser':
      throw new AuthError(401, 'no_authorization', 'This endpoint requires the secret API key');
    default:
      if (caller.role !== 'service_role') {
        throw new AuthError(403, 'not_admin', 'User not allowed');
      }
  }
}

/** The body as JSON; `{}` where there is none. @throws AuthError bad_json */
export async function bodyOf(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AuthError(400, 'bad_json', 'Could not parse request body as JSON', error);
  }
}
