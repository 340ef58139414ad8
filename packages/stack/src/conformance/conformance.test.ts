/**
 * What Supabase Realtime does, asked through unmodified supabase-js: by default of our stack, or of
 * any project; see README.md.
 */
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { broadcastCases } from './cases/broadcast.ts';
import { databaseCases } from './cases/database.ts';
import { keyCases } from './cases/keys.ts';
import { limitCases } from './cases/limits.ts';
import { postgresChangesCases } from './cases/postgres-changes.ts';
import { presenceCases } from './cases/presence.ts';
import { privateChannelCases } from './cases/private-channels.ts';
import { protocolCases } from './cases/protocol.ts';
import { LIBRARIES, Stage } from './stage.ts';
import { isForeign } from './target.ts';

let opened: Stage | undefined;
const stage = (): Stage => {
  if (opened === undefined) throw new Error('The project is not open');
  return opened;
};
beforeAll(async () => {
  opened = await Stage.open();
}, 120_000);
afterEach(() => opened?.hangUp());
afterAll(() => opened?.[Symbol.asyncDispose](), 60_000);

describe.each(LIBRARIES)('$name', { timeout: isForeign ? 120_000 : 20_000 }, (library) => {
  describe('protocol', () => protocolCases(stage, library));
  describe('keys', () => keyCases(stage, library));
  describe('broadcast', () => broadcastCases(stage, library));
  describe('presence', () => presenceCases(stage, library));
  describe('postgres changes', () => postgresChangesCases(stage, library));
  describe('private channels', () => privateChannelCases(stage, library));
  describe('database', () => databaseCases(stage, library));
  describe('limits', () => limitCases(stage, library));
});
