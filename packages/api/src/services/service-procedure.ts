import { sql } from 'drizzle-orm';
import type { UserTransaction } from '../server/database.ts';
import { ApiError, toApiError } from '../server/errors.ts';
import { publicProcedure } from '../server/procedures.ts';
import type { ServiceScope } from './kinds-contract.ts';

/**
 * For services whose key has a scope. `ctx.actOn(person, work)` runs statements as the service
 * role, with the entry of the log in the same transaction; a call that was refused or failed is
 * logged by itself.
 */
export function serviceProcedure(scope: ServiceScope) {
  return publicProcedure.use(async ({ ctx, path, next }) => {
    const { service, requestId, asUser } = ctx;
    if (!service) throw new ApiError('SERVICE_KEY_REQUIRED');
    const claims = { service: service.id, requestId };
    const log = (tx: UserTransaction, outcome: string, personId: string | null) =>
      tx.execute(sql`
        select private.log_service_call(
          ${service.id}::uuid, ${path}, ${outcome}, ${personId}::uuid, ${requestId}
        )`);
    const actOn = <Result>(
      personId: string | null,
      work: (tx: UserTransaction) => Promise<Result>,
    ): Promise<Result> =>
      asUser(claims, 'write', async (tx) => {
        const result = await work(tx);
        await log(tx, 'ok', personId);
        return result;
      });
    const logFailure = async (error: ApiError) => {
      await asUser(claims, 'write', (tx) => log(tx, error.appCode, null)).catch((cause: unknown) =>
        ctx.log.error({ requestId, serviceKeyId: service.id, err: cause }, 'service log'),
      );
      return error;
    };
    if (!service.scopes.includes(scope)) {
      throw await logFailure(new ApiError('SCOPE_MISSING', { missingScope: scope }));
    }
    const result = await next({ ctx: { service, actOn } });
    if (!result.ok) throw await logFailure(toApiError(result.error));
    return result;
  });
}
