import { expect, it } from 'vitest';
import { scriptsLast } from './scripts-last.ts';

const page = `<head>
    <link href="./_app/immutable/entry/start.Ab1.js" rel="modulepreload">
		<link href="./_app/immutable/chunks/Cd2.js" rel="modulepreload">
		<link href="./_app/immutable/assets/0.css" rel="stylesheet">
  </head><body><script nonce="n">
    import("./_app/immutable/entry/start.Ab1.js").then(async (kit) => kit.start());
  </script></body>`;

it('asks for scripts after the first paint, all at once', () => {
  const last = scriptsLast(page);
  expect(last).not.toContain('rel="modulepreload"');
  expect(last).toContain('rel="stylesheet"');
  expect(last).toContain(
    '["./_app/immutable/entry/start.Ab1.js","./_app/immutable/chunks/Cd2.js"]',
  );
  expect(last).toMatch(/painted[^]*return import\("\.\/_app\/immutable\/entry\/start\.Ab1\.js"\)/);
});

it('leaves a page alone that it does not know', () => {
  const other = page.replace('entry/start.Ab1.js").then', 'entry/begin.js").then');
  expect(scriptsLast(other)).toBe(other);
});
