import type { Component } from 'svelte';

/** A page of the portal that is always one step away. */
export type Place = {
  href: string;
  label: string;
  icon: Component;
  /** Where the pages are that belong to it, when not below its own address. */
  below?: string;
  /** The account's menu leads there too: on a phone it makes room for others. */
  isInMenu?: boolean;
};

/** Whether a page belongs to a place; the first page's own address is no beginning of others. */
export function isAt(place: Place, pathname: string): boolean {
  if (pathname === place.href) return true;
  const below = place.below ?? place.href;
  return below !== '/' && pathname.startsWith(`${below}/`);
}
