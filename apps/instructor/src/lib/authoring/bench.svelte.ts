import type { CourseDetails, LessonFields, Workbench } from '@homeroom/api/contract';
import type { LessonKind } from '@homeroom/api/kinds';
import type { Api } from '@homeroom/portal';
import { draftOf, type Connection, type Draft } from '@homeroom/realtime';
import { dequal } from 'dequal/lite';
import { createContext } from 'svelte';
import { applyOp, byId, outside, type Outline, type OutlineOp } from './outline-ops.ts';
import { refusalOf } from './refusal.ts';

/** Steps made in one go are saved together: holding a key down makes thirty a second. */
const SAVE_AFTER_MS = 300;
/** Between attempts when we can't be reached. */
const RETRY_AFTER_MS = 4_000;

/**
 * A course on its author's bench. A change of the outline shows at once and is saved behind it, in
 * order; when another author was there first, it is made again on their arrangement.
 */
export class Bench {
  readonly #api: Api;
  readonly #connection: Connection;
  readonly #kept: Draft;
  #confirmed = $state.raw() as Workbench;
  #pending = $state.raw<readonly OutlineOp[]>([]);
  #saving: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Why the outline isn't saved; one or two sentences. */
  problem = $state<string>();
  /** Something that the author should know of, and need not mend. */
  note = $state<string>();

  readonly outline: Outline = $derived(this.#pending.reduce(applyOp, this.#confirmed.outline));
  readonly lessons = $derived(byId(this.#confirmed.lessons));
  /** Lessons that the next publication takes out. */
  readonly removedLessons = $derived(outside(this.outline, this.#confirmed.lessons));

  constructor(connection: Connection, api: Api, workbench: Workbench) {
    this.#api = api;
    this.#connection = connection;
    this.#confirmed = workbench;
    this.#kept = draftOf(connection, `outline.${workbench.courseId}`);
  }

  /** The course as it is with what isn't saved yet. */
  get workbench(): Workbench {
    const isArranged = this.#pending.length > 0;
    return {
      ...this.#confirmed,
      outline: [...this.outline],
      hasDraft: this.#confirmed.hasDraft || isArranged,
    };
  }

  get courseId(): string {
    return this.#confirmed.courseId;
  }

  get isSaved(): boolean {
    return this.#pending.length === 0;
  }

  /** Where a lesson's text is kept until it is saved. */
  keptLesson(lessonId: string): Draft {
    return draftOf(this.#connection, `lesson.${lessonId}`);
  }

  /** Where the course's own texts are kept until they are saved. */
  get keptDetails(): Draft {
    return draftOf(this.#connection, `course.${this.courseId}`);
  }

  /** Titles of what is written on this device and not saved. */
  unsavedTitles(): string[] {
    const lessons = this.#confirmed.lessons.filter(({ id }) => this.keptLesson(id).text !== '');
    const course = this.keptDetails.text === '' ? [] : ['Course details'];
    return [...course, ...lessons.map(({ title }) => title)];
  }

  /** Takes up what was arranged before a reload and wasn't saved. */
  restore(): void {
    if (this.#kept.text === '') return;
    this.#pending = JSON.parse(this.#kept.text) as OutlineOp[];
    this.#saveSoon();
  }

  /** Arranges; shows at once. */
  change(op: OutlineOp | undefined): void {
    if (!op || dequal(applyOp(this.outline, op), this.outline)) return;
    this.#setPending([...this.#pending, op]);
    this.#saveSoon();
  }

  /** Saves what is arranged, now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving;
    if (this.#pending.length === 0) return;
    this.#saving = this.#save().finally(() => (this.#saving = undefined));
    await this.#saving;
  }

  /** Makes a lesson at the end of a module and gives its id; nothing, when it can't (`problem`). */
  async createLesson(moduleId: string, title: string, kind: LessonKind) {
    await this.flush();
    if (!this.isSaved) return undefined;
    try {
      const { lessonId } = await this.#api.authoring.createLesson.mutate({ moduleId, title, kind });
      await this.load();
      return lessonId;
    } catch (error) {
      this.problem = refusalOf(error).message;
      // The answer may be lost, and the lesson there: then it is seen, and not made twice.
      await this.load().catch(() => undefined);
      return undefined;
    }
  }

  /** Loads the course anew. */
  async load(): Promise<void> {
    this.#confirmed = await this.#api.authoring.course.query({ courseId: this.courseId });
  }

  /** A lesson was saved: its card follows. */
  lessonSaved(lessonId: string, fields: LessonFields): void {
    const { title, kind, durationMinutes, isRequired, isPublished } = fields;
    const card = { title, kind, durationMinutes, isRequired, isPublished, hasDraft: true };
    this.#confirmed = {
      ...this.#confirmed,
      hasDraft: true,
      lessons: this.#confirmed.lessons.map((one) =>
        one.id === lessonId ? { ...one, ...card } : one,
      ),
    };
  }

  /** The course's own texts were saved. */
  detailsSaved(details: CourseDetails, detailsVersion: number): void {
    this.#confirmed = { ...this.#confirmed, details, detailsVersion, hasDraft: true };
  }

  #saveSoon(delayMs = SAVE_AFTER_MS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), delayMs);
  }

  #setPending(pending: readonly OutlineOp[]): void {
    this.#pending = pending;
    this.#kept.set(pending.length === 0 ? '' : JSON.stringify(pending));
  }

  async #save(): Promise<void> {
    const sent = this.#pending;
    const outline = [...this.outline];
    const { courseId, outlineVersion: version } = this.#confirmed;
    try {
      const saved = await this.#api.authoring.saveOutline.mutate({ courseId, version, outline });
      this.#confirmed = {
        ...this.#confirmed,
        outline,
        outlineVersion: saved.version,
        hasDraft: true,
      };
      this.#setPending(this.#pending.slice(sent.length));
      this.problem = undefined;
    } catch (error) {
      await this.#refused(error);
    }
    if (this.#pending.length > 0) this.#saveSoon(this.problem ? RETRY_AFTER_MS : 0);
  }

  async #refused(error: unknown): Promise<void> {
    const { code, message } = refusalOf(error);
    if (code === 'DRAFT_CONFLICT') {
      this.note =
        'Another author arranged this course at the same time. What you did was put onto theirs.';
      await this.load().catch((cause: unknown) => (this.problem = refusalOf(cause).message));
      return;
    }
    this.problem = message;
    if (code === 'UNREACHABLE' || code === 'UNAVAILABLE' || code === 'TOO_MANY_REQUESTS') return;
    // It won't be taken, also later: what is saved is shown again.
    this.#setPending([]);
    await this.load().catch(() => undefined);
  }
}

/** The bench of the course whose pages are open. */
export const [useBench, setBench] = createContext<Bench>();
