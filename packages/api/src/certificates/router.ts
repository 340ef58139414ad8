import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, publicProcedure, userProcedure } from '../server/procedures.ts';
import {
  badgeOutput,
  badgeStatusOutput,
  certificateSchema,
  mineOutput,
  revokeInput,
  verifyInput,
  verifyOutput,
} from './contract.ts';
import { issuerOf } from './issuer.ts';
import { ownCertificates, revokeCertificate, verifyCertificate } from './queries.ts';

/** What says that somebody has finished a course. */
export const certificatesRouter = {
  /** The caller's certificates, newest first. */
  mine: userProcedure
    .output(mineOutput)
    .query(({ ctx }) => ctx.transaction((tx) => ownCertificates(tx, ctx.session.userId))),

  /** Whether a certificate is ours and still holds: for everybody who has its serial number. */
  verify: publicProcedure
    .input(verifyInput)
    .output(verifyOutput)
    .query(({ ctx, input }) =>
      ctx.asUser(null, 'read', (tx) => verifyCertificate(tx, input.serialNumber)),
    ),

  /** A certificate as a signed Open Badge, for everybody who has its serial number. */
  badge: publicProcedure
    .input(verifyInput)
    .output(badgeOutput)
    .query(async ({ ctx, input }) => {
      const issuer = issuerOf(ctx.issuer);
      const { data } = await ctx.asUser(null, 'read', (tx) =>
        verifyCertificate(tx, input.serialNumber),
      );
      return { jwt: await issuer.sign(data) };
    }),

  /** Whether a signed badge still holds: where its `credentialStatus` leads. */
  badgeStatus: publicProcedure
    .input(verifyInput)
    .output(badgeStatusOutput)
    .query(async ({ ctx, input }) => {
      const issuer = issuerOf(ctx.issuer);
      const { data } = await ctx.asUser(null, 'read', (tx) =>
        verifyCertificate(tx, input.serialNumber),
      );
      return issuer.status(data);
    }),

  /** Takes a certificate back, with a reason that everybody may read. For the course's staff. */
  revoke: instructorProcedure
    .input(revokeInput)
    .output(certificateSchema)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => revokeCertificate(tx, input))),
} satisfies TRPCRouterRecord;
