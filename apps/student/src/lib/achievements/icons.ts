import Award from '@lucide/svelte/icons/award';
import Flame from '@lucide/svelte/icons/flame';
import Footprints from '@lucide/svelte/icons/footprints';
import GraduationCap from '@lucide/svelte/icons/graduation-cap';
import HandHelping from '@lucide/svelte/icons/hand-helping';
import HeartHandshake from '@lucide/svelte/icons/heart-handshake';
import Library from '@lucide/svelte/icons/library';
import Trophy from '@lucide/svelte/icons/trophy';
import type { Component } from 'svelte';

/** The pictures that achievements are declared with, by their lucide names. */
const icons: Record<string, Component> = {
  award: Award,
  flame: Flame,
  footprints: Footprints,
  'graduation-cap': GraduationCap,
  'hand-helping': HandHelping,
  'heart-handshake': HeartHandshake,
  library: Library,
  trophy: Trophy,
};

/** The picture of an achievement; one declared with an unknown name is an award. */
export function achievementIcon(name: string): Component {
  return icons[name] ?? Award;
}
