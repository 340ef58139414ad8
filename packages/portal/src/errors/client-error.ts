import type { HandleClientError } from '@sveltejs/kit/hooks';

/**
 * What a page knows of an error in the browser. Where `fetch` or a script's import failed, the
 * network did (both are a `TypeError`, in words of each browser's own): the page can be had later.
 */
export const handleClientError: HandleClientError = ({ kind, error }) => ({
  isUnreachable: kind === 'unknown' && error instanceof TypeError && isAboutNetwork(error.message),
});

/** Chromium, Firefox and Safari, in this order, of `fetch` and of `import()`. */
function isAboutNetwork(message: string): boolean {
  return /failed to fetch|networkerror|error loading dynamically imported|load failed|importing a module script failed/i.test(
    message,
  );
}
