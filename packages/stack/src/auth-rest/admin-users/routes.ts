/** `/auth/v1/admin/users`, which the library lacks: as GoTrue, for holders of the secret key. */
import type { Sql } from 'postgres';
import type { AuthRestSettings } from '../wire.ts';
import { bodyOf, requireServiceRole } from './admin-request.ts';
import { AuthError, toAuthError } from './errors.ts';
import { newUser, pageOfUsers, softDeletion, userChanges } from './inputs.ts';
import { createUser, deleteUser, getUser, listUsers, updateUser } from './users.ts';

const PREFIX = '/auth/v1/admin/users';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A function that answers requests under /auth/v1/admin/users. */
export function createAdminUsers({
  settings,
  sql,
}: {
  settings: AuthRestSettings;
  sql: Sql;
}): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      await requireServiceRole(request, settings);
      return await route(request, sql);
    } catch (error) {
      return toAuthError(error).toResponse(request);
    }
  };
}

async function route(request: Request, sql: Sql): Promise<Response> {
  const url = new URL(request.url);
  const id = url.pathname.slice(PREFIX.length).replace(/^\/|\/$/g, '');
  if (id === '') {
    if (request.method === 'POST') {
      return Response.json(await createUser(sql, newUser.parse(await bodyOf(request))));
    }
    if (request.method === 'GET') {
      return list(sql, url);
    }
    throw new AuthError(405, 'method_not_allowed', 'Method not allowed');
  }
  if (!UUID.test(id)) throw new AuthError(404, 'validation_failed', 'user_id must be an UUID');
  switch (request.method) {
    case 'GET':
      return Response.json(await getUser(sql, id));
    case 'PUT':
      return Response.json(await updateUser(sql, id, userChanges.parse(await bodyOf(request))));
    case 'DELETE':
      await deleteUser(sql, id, softDeletion.parse(await bodyOf(request)));
      return Response.json({});
    default:
      throw new AuthError(405, 'method_not_allowed', 'Method not allowed');
  }
}

async function list(sql: Sql, url: URL): Promise<Response> {
  const { page, perPage } = pageOfUsers(url.searchParams);
  const { users, total } = await listUsers(sql, { page, perPage });
  const lastPage = Math.max(1, Math.ceil(total / perPage));
  const pageUrl = (number: number) => `<${PREFIX}?page=${number}&per_page=${perPage}>`;
  const links = [
    ...(page < lastPage ? [`${pageUrl(page + 1)}; rel="next"`] : []),
    `${pageUrl(lastPage)}; rel="last"`,
  ];
  return Response.json(
    { users, aud: 'authenticated' },
    { headers: { 'x-total-count': `${total}`, link: links.join(', ') } },
  );
}
