import { expect, it } from 'vitest';
import { certificatePdf } from './certificate-pdf.ts';
import { LettersMissingError, runsOf } from './typefaces.ts';

const runs = (text: string) =>
  runsOf('medium', text).map(({ file, text }) => [/files\/(.*)-500/.exec(file)?.[1], text]);

it('sets a name in as few runs as its letters allow', () => {
  expect(runs('Ada Lovelace')).toEqual([['newsreader-latin', 'Ada Lovelace']]);
  expect(runs('Łukasz')).toEqual([
    ['newsreader-latin-ext', 'Ł'],
    ['newsreader-latin', 'ukasz'],
  ]);
  expect(runs('Zoe\u0308')).toEqual([['newsreader-latin', 'Zoë']]);
  expect(runs('Δάφνη И')).toEqual([
    ['noto-serif-greek', 'Δάφνη'],
    ['newsreader-latin', ' '],
    ['noto-serif-cyrillic', 'И'],
  ]);
});

it('makes no PDF with holes where letters should be', async () => {
  const certificate = {
    courseId: '',
    serialNumber: `HR-${'0'.repeat(32)}`,
    issuedAt: '2026-01-01T00:00:00.000000Z',
    revokedAt: null,
    revocationReason: null,
    isValid: true,
    courseTitle: 'Practical SQL',
    courseSlug: 'practical-sql',
    courseSummary: '',
    instructors: ['Marta Lindqvist'],
  };
  const pdfOf = (studentName: string) =>
    certificatePdf({ ...certificate, studentName }, 'https://learn.example.org/verify/x');
  await expect(pdfOf('山田太郎')).rejects.toThrow(LettersMissingError);
  const pdf = Buffer.from(await pdfOf('Nguyễn Thị Ánh'));
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
});
