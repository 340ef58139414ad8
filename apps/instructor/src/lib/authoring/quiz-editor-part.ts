import type { Quiz } from '@homeroom/api/contract';
import type { Component } from 'svelte';

/** QuizEditor.svelte, for those who are given it. */
export type QuizEditorPart = Component<
  { quiz: Quiz | null; reasonAt(path: string): string | undefined },
  object,
  'quiz'
>;
