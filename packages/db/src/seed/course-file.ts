import { readFileSync } from 'node:fs';
import type { Quiz } from '../catalog/tables.ts';
import { quizzesOf } from './quizzes.ts';

/** A lesson as its author wrote it. */
export type LessonText = {
  title: string;
  content: string;
  minutes: number;
  isRequired: boolean;
  isPublished: boolean;
  kind: 'text' | 'quiz';
  quiz?: Quiz;
};

/** A course as its author wrote it: see `courses/*.md`. */
export type CourseText = {
  slug: string;
  title: string;
  summary: string;
  level: 'beginner' | 'intermediate' | 'advanced';
  category: string;
  priceCents: number;
  teacher: string;
  isPublished: boolean;
  description: string;
  modules: { title: string; summary: string; lessons: LessonText[] }[];
};

const LEVELS = ['beginner', 'intermediate', 'advanced'] as const;

/**
 * Reads a course: front matter, description, then `# Module: …` and `## Lesson: …`. The first line
 * of a lesson says in italics how long it takes, and whether it is optional or a draft.
 */
export function parseCourse(slug: string, text: string): CourseText {
  const [, head = '', body = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];
  const fields = new Map(
    head.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [
        line.slice(0, colon),
        line
          .slice(colon + 1)
          .trim()
          .replace(/^'(.*)'$/, '$1'),
      ];
    }),
  );
  const field = (name: string) => {
    const value = fields.get(name);
    if (!value) throw new Error(`The course ${slug} doesn't say its ${name}`);
    return value;
  };
  const [description = '', ...parts] = body.split(/^# Module: /m);
  const level = LEVELS.find((known) => known === field('level'));
  if (!level) throw new Error(`The course ${slug} has a level that doesn't exist`);
  return {
    slug,
    title: field('title'),
    summary: field('summary'),
    level,
    category: field('category'),
    priceCents: Math.round(Number(field('price')) * 100),
    teacher: field('teacher'),
    isPublished: fields.get('status') !== 'draft',
    description: description.trim(),
    modules: parts.map((part, at) => {
      const module = parseModule(part);
      return { ...module, lessons: [...module.lessons, ...quizzesOf(slug, at)] };
    }),
  };
}

function parseModule(text: string): CourseText['modules'][number] {
  const [intro = '', ...lessons] = text.split(/^## Lesson: /m);
  const [title = '', ...summary] = intro.split('\n');
  return {
    title: title.trim(),
    summary: summary.join(' ').trim(),
    lessons: lessons.map(parseLesson),
  };
}

function parseLesson(text: string): LessonText {
  const [, title = '', minutes = '0', flags = '', content = ''] =
    /^([^\n]*)\n\n_(\d+) minutes([^\n]*)_\n\n(.*)$/s.exec(text) ?? [];
  if (!title) throw new Error(`A lesson doesn't say how long it takes: ${text.slice(0, 60)}`);
  return {
    title,
    content: content.trim(),
    minutes: Number(minutes),
    isRequired: !flags.includes('optional'),
    isPublished: !flags.includes('draft'),
    kind: 'text',
  };
}

/** The demo courses, oldest first. */
export function readCourses(): CourseText[] {
  return [
    'practical-sql',
    'probability-without-tears',
    'writing-clearly',
    'drawing-what-you-see',
    'bread-a-small-science',
    'reading-the-night-sky',
  ].map((slug) =>
    parseCourse(slug, readFileSync(new URL(`./courses/${slug}.md`, import.meta.url), 'utf8')),
  );
}
