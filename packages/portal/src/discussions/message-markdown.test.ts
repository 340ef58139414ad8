import { expect, it } from 'vitest';
import type { ThreadMessage } from '@homeroom/api/contract';
import { renderMarkdown } from '../markdown/render.ts';
import { messageMarkdown } from './message-markdown.ts';

const messageHtml = (message: Pick<ThreadMessage, 'content' | 'mentions'>) =>
  renderMarkdown(messageMarkdown(message));

const id = '0b5c6c1e-0000-4000-8000-000000000001';
const person = (name: string) => ({ id, name, avatarUrl: null });

it('names people as they are called, not as the text says', () => {
  const content = `Ask [@Root](mention:${id}).`;
  expect(messageHtml({ content, mentions: [person('Ada')] })).toBe(
    '<p>Ask <strong>@Ada</strong>.</p>',
  );
  expect(messageHtml({ content, mentions: [] })).toContain('@someone');
});

it('takes a name for a name', () => {
  const content = `[@x](mention:${id})`;
  expect(messageHtml({ content, mentions: [person('*[x](javascript:alert(1))*')] })).toBe(
    '<p><strong>@*[x](javascript:alert(1))*</strong></p>',
  );
});
