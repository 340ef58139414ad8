import type { Component } from 'svelte';

/** A page of the portal that is always one step away. */
export type Place = { href: string; label: string; icon: Component };

/** Whether a page belongs to a place; the first page's own address is no beginning of others. */
export function isAt(place: Place, pathname: string): boolean {
  if (place.href === '/') return pathname === '/';
  return pathname === place.href || pathname.startsWith(`${place.href}/`);
}
