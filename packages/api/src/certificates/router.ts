import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, publicProcedure, userProcedure } from '../server/procedures.ts';
import {
  certificateSchema,
  mineOutput,
  revokeInput,
  verifyInput,
  verifyOutput,
} from './contract.ts';
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

  /** Takes a certificate back, with a reason that everybody may read. For the course's staff. */
  revoke: instructorProcedure
    .input(revokeInput)
    .output(certificateSchema)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => revokeCertificate(tx, input))),
} satisfies TRPCRouterRecord;
