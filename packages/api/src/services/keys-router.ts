import type { TRPCRouterRecord } from '@trpc/server';
import * as z from 'zod';
import { adminProcedure } from '../server/procedures.ts';
import {
  createKeyInput,
  createKeyOutput,
  keyInput,
  keyLogInput,
  keyLogOutput,
  listKeysInput,
  listKeysOutput,
} from './keys-contract.ts';
import { createKey, keyLog, listKeys, revokeKey } from './keys-queries.ts';

/** The keys of services, for administrators. */
export const serviceKeysRouter = {
  /** All keys, the newest first, without what is secret of them. */
  list: adminProcedure
    .input(listKeysInput)
    .output(listKeysOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listKeys(tx, input))),

  /** Makes a key, and shows it this once. */
  create: adminProcedure
    .input(createKeyInput)
    .output(createKeyOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => createKey(tx, input))),

  /** Ends a key, from the next call on. */
  revoke: adminProcedure
    .input(keyInput)
    .output(z.void())
    .mutation(({ ctx, input }) => ctx.transaction((tx) => revokeKey(tx, input.id))),

  /** What was done with keys and by them. */
  log: adminProcedure
    .input(keyLogInput)
    .output(keyLogOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => keyLog(tx, input))),
} satisfies TRPCRouterRecord;
