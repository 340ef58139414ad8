const PRELOADS = /\s*<link href="([^"]*)" rel="modulepreload">/g;
const START = /\bimport\("([^"]*\/entry\/start\.[^"]*)"\)/;

/**
 * Waits for the first paint; a page that isn't looked at, or can't tell, doesn't. Part of a script,
 * so it is written as one.
 */
const PAINTED = `new Promise((painted) => {
						if (document.hidden || !PerformanceObserver.supportedEntryTypes?.includes('paint')) return painted();
						new PerformanceObserver(painted).observe({ type: 'paint', buffered: true });
						setTimeout(painted, 3000);
					})`;

/**
 * A page whose scripts are asked for when it has been painted: it can be read before it is alive,
 * and on a slow network its scripts would share the line with its styles and typefaces. SvelteKit
 * asks for them first of all; where its page looks different than we know it, it stays as it is.
 */
export function scriptsLast(html: string): string {
  const start = START.exec(html);
  if (start === null) return html;
  const scripts = [...html.matchAll(PRELOADS)].map(([, href]) => href);
  const ask = `for (const href of ${JSON.stringify(scripts)}) {
							document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
						}`;
  return html.replaceAll(PRELOADS, '').replace(
    START,
    () => `${PAINTED}.then(() => {
						${ask}
						return ${start[0]};
					})`,
  );
}
