import type { VerifiedCertificate } from '@homeroom/api/contract';
import PDFDocument from 'pdfkit';
import { issuedOn } from './issued-on.ts';
import { QR_QUIET, qrShape } from './qr.ts';
import { runsOf, type Typeface } from './typefaces.ts';

/** A4 across, in points. */
const PAGE = { width: 841.89, height: 595.28 };
const MIDDLE = PAGE.width / 2;
/** The widest that a line may be, pt. */
const MEASURE = 620;
/** The design system's colours on paper. */
const INK = '#171b22';
const INK_SOFT = '#595e66';
const LINE = '#8b8982';
const LIVE = '#eb5f3d';

/** `y` is the baseline. */
type Line = { text: string; typeface: Typeface; size: number; y: number; color?: string };

/**
 * A certificate as a PDF to print and frame: one page A4 across, with the portal's typefaces in it.
 * @throws LettersMissingError for names in a script that these don't have
 */
export async function certificatePdf(
  certificate: VerifiedCertificate,
  verifyUrl: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { studentName, courseTitle, serialNumber } = certificate;
  const doc = new PDFDocument({
    size: [PAGE.width, PAGE.height],
    margin: 0,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: `Certificate of ${studentName}: ${courseTitle}`,
      Author: 'Homeroom',
      Subject: `Serial number ${serialNumber}`,
      CreationDate: new Date(certificate.issuedAt),
    },
  });
  const chunks: Uint8Array[] = [];
  doc.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => doc.once('end', resolve).once('error', reject));
  draw(doc, certificate, verifyUrl);
  doc.end();
  await ended;
  return Uint8Array.from(Buffer.concat(chunks));
}

function draw(doc: PDFKit.PDFDocument, certificate: VerifiedCertificate, verifyUrl: string) {
  frame(doc);
  wordmark(doc, 118);
  const soft = { typeface: 'serif', size: 15, color: INK_SOFT } as const;
  centred(doc, { ...soft, text: 'This certifies that', y: 168 });
  centred(doc, { text: certificate.studentName, typeface: 'medium', size: 42, y: 218 });
  centred(doc, { ...soft, text: 'has completed the course', y: 262 });
  centred(doc, { text: certificate.courseTitle, typeface: 'bold', size: 28, y: 304 });
  centred(doc, { ...soft, text: `on ${issuedOn(certificate)}`, y: 340 });
  signatures(doc, certificate.instructors.slice(0, 3), 400);
  proof(doc, certificate.serialNumber, verifyUrl, 462);
}

function frame(doc: PDFKit.PDFDocument) {
  for (const [inset, width] of [
    [26, 1.2],
    [32, 0.4],
  ] as const) {
    doc
      .rect(inset, inset, PAGE.width - 2 * inset, PAGE.height - 2 * inset)
      .lineWidth(width)
      .stroke(LINE);
  }
}

function wordmark(doc: PDFKit.PDFDocument, y: number) {
  const end = centred(doc, { text: 'Homeroom', typeface: 'bold', size: 20, y });
  doc.circle(end + 5, y - 3, 3).fill(LIVE);
}

/** A line in the middle of the page, smaller where it would be too wide. Gives where it ends. */
function centred(doc: PDFKit.PDFDocument, line: Line): number {
  const wide = widthOf(doc, line);
  const size = line.size * Math.min(1, MEASURE / wide);
  const width = Math.min(wide, MEASURE);
  write(doc, { ...line, size }, MIDDLE - width / 2);
  return MIDDLE + width / 2;
}

function widthOf(doc: PDFKit.PDFDocument, { text, typeface, size }: Line): number {
  return runsOf(typeface, text).reduce(
    (sum, run) => sum + doc.font(run.file, size).widthOfString(run.text),
    0,
  );
}

function write(doc: PDFKit.PDFDocument, line: Line, x: number) {
  const { text, typeface, size, y, color = INK } = line;
  let at = x;
  for (const run of runsOf(typeface, text)) {
    doc
      .font(run.file, size)
      .fill(color)
      .text(run.text, at, y, { lineBreak: false, baseline: 'alphabetic' });
    at += doc.widthOfString(run.text);
  }
}

/** Those who teach, each above a line. */
function signatures(doc: PDFKit.PDFDocument, names: string[], y: number) {
  const [width, gap] = [170, 40];
  const left = MIDDLE - (names.length * width + (names.length - 1) * gap) / 2;
  names.forEach((name, at) => {
    const x = left + at * (width + gap);
    const inside = (line: Line) => {
      const size = line.size * Math.min(1, width / widthOf(doc, line));
      write(doc, { ...line, size }, x + (width - widthOf(doc, { ...line, size })) / 2);
    };
    inside({ text: name, typeface: 'italic', size: 17, y: y + 9 });
    doc
      .moveTo(x, y + 18)
      .lineTo(x + width, y + 18)
      .lineWidth(0.6)
      .stroke(LINE);
    inside({ text: 'Instructor', typeface: 'sans', size: 9, y: y + 31, color: INK_SOFT });
  });
}

/** Where anybody can ask whether it holds. */
function proof(doc: PDFKit.PDFDocument, serialNumber: string, verifyUrl: string, y: number) {
  const { size, path } = qrShape(verifyUrl);
  const side = 74;
  const module = side / (size + 2 * QR_QUIET);
  const lines: Line[] = [
    { text: 'Does it hold? Ask here, or by the code:', typeface: 'sans', size: 9, y: y + 26 },
    { text: verifyUrl, typeface: 'sans', size: 9, y: y + 40, color: INK_SOFT },
    { text: serialNumber, typeface: 'sans', size: 9, y: y + 54, color: INK_SOFT },
  ];
  const width = side + 8 + Math.max(...lines.map((line) => widthOf(doc, line)));
  const left = MIDDLE - width / 2;
  doc
    .save()
    .translate(left + QR_QUIET * module, y + QR_QUIET * module)
    .scale(module)
    .path(path)
    .fill(INK)
    .restore();
  for (const line of lines) write(doc, line, left + side + 8);
  doc.link(left + side + 8, y + 30, width - side - 8, 14, verifyUrl);
}
