import { throwPageError } from '@homeroom/portal/server';
import { error } from '@sveltejs/kit';
import { certificatePdf } from '#lib/certificates/certificate-pdf.ts';
import { LettersMissingError } from '#lib/certificates/typefaces.ts';
import type { RequestHandler } from './$types';

/** The certificate as a file to print and frame; none of one that was taken back. */
export const GET: RequestHandler = async ({ locals, params, url }) => {
  const { data } = await locals.caller.certificates
    .verify({ serialNumber: params.serial })
    .catch(throwPageError);
  if (!data.isValid) error(410, 'This certificate was taken back. There is nothing to print.');
  const verifyUrl = `${url.origin}/verify/${data.serialNumber}`;
  const pdf = await certificatePdf(data, verifyUrl).catch((cause: unknown) => {
    if (!(cause instanceof LettersMissingError)) throw cause;
    error(422, 'The PDF has no letters for this name. Print the certificate’s page instead.');
  });
  return new Response(pdf, {
    headers: {
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="certificate-${data.serialNumber}.pdf"`,
      'cache-control': 'no-store',
    },
  });
};
