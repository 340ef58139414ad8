import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';

/** A certificate, as its owner sees it. */
export const certificateSchema = z.object({
  id: z.guid(),
  courseId: z.guid(),
  /** What the public page verifies it by. */
  serialNumber: z.string(),
  issuedAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
  revocationReason: z.string().nullable(),
});

/** A certificate, as its owner sees it. */
export type Certificate = z.infer<typeof certificateSchema>;

/** A certificate in the list of one's own. */
export const ownCertificateSchema = certificateSchema.extend({ courseTitle: z.string() });

/** A certificate in the list of one's own. */
export type OwnCertificate = z.infer<typeof ownCertificateSchema>;

/** All of the caller's certificates, newest first, live on `user:<uid>`. */
export const mineOutput = liveOutput(z.object({ items: z.array(ownCertificateSchema) }));

/** Names a certificate by its serial number. */
export const verifyInput = z.object({
  serialNumber: z
    .string()
    .trim()
    .regex(/^HR-[0-9A-Fa-f]{32}$/, 'Not a serial number of ours, such as HR-0123…'),
});

/** What anybody may know who has the serial number. */
export const verifiedSchema = certificateSchema.omit({ id: true }).extend({
  isValid: z.boolean(),
  studentName: z.string(),
  courseTitle: z.string(),
  courseSlug: z.string(),
  courseSummary: z.string(),
  /** Names of those who teach the course. */
  instructors: z.array(z.string()),
});

/** What anybody may know who has the serial number. */
export type VerifiedCertificate = z.infer<typeof verifiedSchema>;

/** The same, live on `certificate:<serial number>`, also for those without an account. */
export const verifyOutput = liveOutput(verifiedSchema);

/** A certificate as a signed Open Badges 3.0 credential: a compact JWS (VC-JWT). */
export const badgeOutput = z.object({ jwt: z.string() });

/** Whether a credential still holds: a revocation list of at most this one. */
export const badgeStatusOutput = z.object({
  id: z.url(),
  issuer: z.url(),
  revokedCredentials: z.array(
    z.object({
      id: z.url(),
      revoked: z.boolean(),
      revocationReason: z.string().nullable(),
    }),
  ),
});

/** Takes a certificate back. The reason is public. */
export const revokeInput = z.object({
  certificateId: z.guid(),
  reason: z.string().trim().min(3).max(500),
});

/** What `user:<uid>` tells about certificates, by the event's name. */
export const certificateEventSchemas = {
  'certificate.issued': z.object({ certificate: ownCertificateSchema }),
  'certificate.revoked': z.object({ certificate: certificateSchema }),
} as const;

/** What `user:<uid>` tells about certificates, by the event's name. */
export type CertificateEvents = {
  [Name in keyof typeof certificateEventSchemas]: z.infer<(typeof certificateEventSchemas)[Name]>;
};

/** What `certificate:<serial number>` tells, by the event's name. */
export const publicCertificateEventSchemas = {
  /** It was taken back. */
  'certificate.changed': z.object({
    isValid: z.boolean(),
    certificate: certificateSchema.omit({ id: true }),
  }),
} as const;

/** What `certificate:<serial number>` tells, by the event's name. */
export type PublicCertificateEvents = {
  [Name in keyof typeof publicCertificateEventSchemas]: z.infer<
    (typeof publicCertificateEventSchemas)[Name]
  >;
};
