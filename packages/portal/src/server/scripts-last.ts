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
  // Only where they are: a page is long, and this is done for each.
  const headEnd = html.indexOf('</head>');
  const scriptAt = html.lastIndexOf('<script');
  if (headEnd === -1 || scriptAt < headEnd) return html;
  const head = html.slice(0, headEnd);
  const script = html.slice(scriptAt);
  const start = START.exec(script);
  if (start === null) return html;
  const scripts = [...head.matchAll(PRELOADS)].map(([, href]) => href);
  const ask = `for (const href of ${JSON.stringify(scripts)}) {
							document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
						}`;
  const starting = `${PAINTED}.then(() => {
						${ask}
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
