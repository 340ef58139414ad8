/** The message that a link to a discussion leads to, by its number. */
export function messageAsked({
  searchParams,
}: {
  searchParams: Pick<URLSearchParams, 'get'>;
}): number | undefined {
  const number = Number(searchParams.get('message') ?? Number.NaN);
  return Number.isInteger(number) && number >= 1 ? number : undefined;
}
