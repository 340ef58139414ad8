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

const RETRY_MS = 3_000;

/**
 * Has all scripts in the browser's cache before the first of them runs: a page whose network is cut
 * while it loads stays as it is, with what somebody has typed, and comes alive when the network is back.
 */
const fetched = (scripts: readonly (string | undefined)[]) => `(async function fetched() {
							const scripts = ${JSON.stringify(scripts)};
							const whole = async (href) => (await fetch(href)).arrayBuffer();
							return Promise.all(scripts.map(whole)).catch(async () => {
								await new Promise((again) => {
									addEventListener('online', again, { once: true });
									setTimeout(again, ${RETRY_MS});
								});
								return fetched();
							});
						})()`;

/**
 * A page whose scripts are asked for when it has been painted: it can be read before it is alive,
 * and on a slow network its scripts would share the line with its styles and typefaces. SvelteKit
 * asks for them first of all; where its page looks different than we know it, it stays as it is.
 */
export function scriptsLast(html: string): string {
  // Only where they are: a page is long, and this is done for each.
  const headEnd = html.indexOf('</head>');
  const scriptAt = html.lastIndexOf('<script');
  if (headEnd === -1 || scriptAt < headEnd) return html;
  const head = html.slice(0, headEnd);
  const script = html.slice(scriptAt);
  const start = START.exec(script);
  if (start === null) return html;
  const scripts = [...head.matchAll(PRELOADS)].map(([, href]) => href);
  const starting = `${PAINTED}.then(async () => {
						await ${fetched(scripts)};
						return ${start[0]};
					})`;
  return [
    head.replaceAll(PRELOADS, ''),
    html.slice(headEnd, scriptAt),
    script.slice(0, start.index),
    starting,
    script.slice(start.index + start[0].length),
  ].join('');
}
