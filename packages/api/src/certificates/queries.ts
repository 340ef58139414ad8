import { sql } from 'drizzle-orm';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { onlyRow } from '../server/fragments.ts';
import type { Certificate, OwnCertificate, VerifiedCertificate } from './contract.ts';

/** The user's certificates, newest first. */
export async function ownCertificates(
  tx: UserTransaction,
  userId: string,
): Promise<Live<{ items: OwnCertificate[] }>> {
  const topic = userTopic(userId);
  const { items, seq } = onlyRow(
    await tx.execute<{ items: OwnCertificate[]; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(
            private.certificate_json(certificate)
              || jsonb_build_object('courseTitle', course.title)
            order by certificate.issued_at desc, certificate.id desc
          )
          from public.certificates as certificate
          join public.courses as course on course.id = certificate.course_id
          where certificate.user_id = ${userId}::uuid
        ), '[]') as "items",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: { items }, cursor: { topic, seq } };
}

/** What may be known of a serial number. */
export async function verifyCertificate(
  tx: UserTransaction,
  serialNumber: string,
): Promise<Live<VerifiedCertificate>> {
  const { verified } = onlyRow(
    await tx.execute<{ verified: (VerifiedCertificate & { seq: number }) | null }>(
      sql`select public.verify_certificate(${serialNumber}) as "verified"`,
    ),
  );
  if (!verified) throw new ApiError('CERTIFICATE_NOT_FOUND');
  const { seq, ...data } = verified;
  return { data, cursor: { topic: `certificate:${data.serialNumber}`, seq } };
}

/** Takes a certificate back. The database raises CERTIFICATE_NOT_FOUND. */
export async function revokeCertificate(
  tx: UserTransaction,
  { certificateId, reason }: { certificateId: string; reason: string },
): Promise<Certificate> {
  const rows = await tx.execute<{ certificate: Certificate }>(sql`
    select public.revoke_certificate(${certificateId}::uuid, ${reason}) as "certificate"`);
  return onlyRow(rows).certificate;
}
