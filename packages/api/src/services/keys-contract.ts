import * as z from 'zod';
import { pageInput } from '../pagination/contract.ts';
import { SERVICE_SCOPES } from './kinds-contract.ts';

/** What a service key can be allowed to do. */
export const scopeSchema = z.enum(SERVICE_SCOPES);

/** A service key as administrators see it: never the key itself. */
export const serviceKeySchema = z.object({
  id: z.guid(),
  name: z.string(),
  /** How the key begins. */
  prefix: z.string(),
  scopes: z.array(scopeSchema),
  callsPerMinute: z.int(),
  /** Who made it; null when that person is gone. */
  createdBy: z.string().nullable(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  /** To the minute. */
  lastUsedAt: z.iso.datetime().nullable(),
});

/** A service key as administrators see it: never the key itself. */
export type ServiceKey = z.infer<typeof serviceKeySchema>;

/** Asks for the keys, the newest first. */
export const listKeysInput = pageInput;

/** Keys, the newest first. */
export const listKeysOutput = z.object({
  items: z.array(serviceKeySchema),
  nextCursor: z.string().nullable(),
});

/** What a new key is for, and how much it may do. */
export const createKeyInput = z.object({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(scopeSchema).min(1).max(SERVICE_SCOPES.length),
  callsPerMinute: z.int().min(1).max(60_000).default(600),
  /** Null: until it is revoked. */
  expiresInDays: z.int().min(1).max(3650).nullable().default(null),
});

/** The key: this is the only time that it is shown. */
export const createKeyOutput = z.object({ id: z.guid(), key: z.string() });

/** Names a key. */
export const keyInput = z.object({ id: z.guid() });

/** What was done with a key, or by it. */
export const keyLogEntrySchema = z.object({
  id: z.int(),
  keyId: z.guid(),
  keyName: z.string(),
  /** `created`, `revoked`, or the procedure that was called. */
  action: z.string(),
  /** `ok`, or the code of the error. */
  outcome: z.string(),
  /** Who did it with the key; null when the key itself did, or that person is gone. */
  actor: z.string().nullable(),
  /** Whom it concerned. */
  subjectId: z.guid().nullable(),
  requestId: z.string().nullable(),
  createdAt: z.iso.datetime(),
});

/** What was done with a key, or by it. */
export type KeyLogEntry = z.infer<typeof keyLogEntrySchema>;

/** Asks for the log, of all keys or of one, the newest first. */
export const keyLogInput = z.object({
  keyId: z.guid().optional(),
  before: z.int().optional(),
  limit: pageInput.shape.limit,
});

/** A part of the log; `nextBefore` is null at its end. */
export const keyLogOutput = z.object({
  items: z.array(keyLogEntrySchema),
  nextBefore: z.int().nullable(),
});
