import { describe, expect, it } from 'vitest';
import { renderMarkdown } from './render.ts';

describe('Markdown', () => {
  it('becomes what it says', () => {
    expect(renderMarkdown('# Bread\n\nFlour, *water*, `salt`.')).toBe(
      '<h1>Bread</h1>\n<p>Flour, <em>water</em>, <code>salt</code>.</p>',
    );
    expect(renderMarkdown('| a |\n|---|\n| 1 |')).toContain('<td>1</td>');
    expect(renderMarkdown('```sql\nselect 1 < 2\n```')).toContain(
      '<code class="language-sql">select 1 &#x3C; 2',
    );
  });

  it('opens links without telling where they were', () => {
    expect(renderMarkdown('[x](https://example.org)')).toBe(
      '<p><a href="https://example.org" rel="noopener noreferrer nofollow">x</a></p>',
    );
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt&colon;alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
    '[x](vbscript:alert(1))',
    '![x](javascript:alert(1))',
    '![x" onerror="alert(1)](https://example.org/x.png)',
    '<a href="javascript:alert(1)">x</a>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '[x]: javascript:alert(1)\n\n[x]',
    '<javascript:alert(1)>',
    '`<script>` <style>@import "javascript:alert(1)"</style>',
    '<form action="javascript:alert(1)"><input type=submit>',
    '[x](\u0001javascript:alert(1))',
    '[x](java\nscript:alert(1))',
  ])('runs nothing of %j', (text) => {
    const html = renderMarkdown(text);
    expect(html).not.toMatch(/<(script|iframe|svg|math|style|form|object|embed|noscript)/i);
    // What stands between quotes is text, whatever it looks like.
    expect(html.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\s(on\w+|style)\s*=/i);
    expect(html).not.toMatch(/(href|src)="[^"]*(javascript|vbscript|data):/i);
  });
});
