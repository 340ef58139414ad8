import type { Draft } from '@homeroom/realtime';
import { dequal } from 'dequal/lite';
import { merge, settled, type Choices, type Merged } from './merge.ts';
import { refusalOf, type Refusal } from './refusal.ts';

/** Fields as the server has them. */
export type Saved<T> = { version: number; fields: T };

/** What another author has saved meanwhile, beside one's own. */
export type Conflict<T> = Saved<T> & {
  /** Who; null when it isn't known. */
  by: string | null;
  merged: Merged<T>;
};

/** What a draft is made of. */
export type FieldsDraftOptions<T> = {
  saved: Saved<T>;
  /** Keeps on this device what isn't saved yet. */
  kept: Draft;
  save(from: Saved<T>): Promise<{ version: number }>;
  /** What the server has by now. */
  load(): Promise<Saved<T> & { by: string | null }>;
  /** Hears of each save. */
  onSaved?(fields: T): void;
};

type Kept<T> = { base: Saved<T>; fields: T };

/**
 * Fields that an author edits: kept on this device until they are saved, also over a reload. When
 * another author has saved before, both versions are there to choose from; nothing is overwritten.
 */
export class FieldsDraft<T extends object> {
  readonly #options: FieldsDraftOptions<T>;
  #base = $state.raw() as Saved<T>;

  /** What the author sees and changes. */
  fields = $state() as T;
  /** What was written here before, and not saved, is here again. */
  wasRestored = $state(false);
  isSaving = $state(false);
  refusal = $state.raw<Refusal>();
  conflict = $state.raw<Conflict<T>>();
  /** What wasn't chosen when a conflict was settled, or was replaced unsaved; until it is put away. */
  aside = $state.raw<Partial<T>>();

  constructor(options: FieldsDraftOptions<T>) {
    this.#options = options;
    this.#base = options.saved;
    this.fields = structuredClone(options.saved.fields);
  }

  /** There is something to save. */
  get isChanged(): boolean {
    return !dequal(this.#now(), this.#base.fields);
  }

  /** Why a field was refused, by its path: `quiz.questions.0.prompt`. */
  reasonAt(path: string): string | undefined {
    return this.refusal?.fields.find(({ field }) => field === path)?.reason;
  }

  /** Takes up what was left here unsaved. In the browser, once the page is alive. */
  restore(): void {
    const { text } = this.#options.kept;
    if (text === '') return;
    const { base, fields } = JSON.parse(text) as Kept<T>;
    if (dequal(fields, this.#base.fields)) return this.#options.kept.set('');
    this.#base = base;
    this.fields = fields;
    this.wasRestored = true;
  }

  /** Keeps on this device what isn't saved. Call it whenever the fields have changed. */
  keep(): void {
    const kept: Kept<T> = { base: this.#base, fields: this.#now() };
    this.#options.kept.set(this.isChanged ? JSON.stringify(kept) : '');
  }

  /** Saves. Answers whether it is saved; `refusal` or `conflict` say why not. */
  async save(): Promise<boolean> {
    if (this.isSaving) return false;
    this.isSaving = true;
    this.refusal = undefined;
    const fields = this.#now();
    try {
      const { version } = await this.#options.save({ version: this.#base.version, fields });
      this.#base = { version, fields };
      this.wasRestored = false;
      this.keep();
      this.#options.onSaved?.(fields);
      return true;
    } catch (error) {
      await this.#refused(refusalOf(error));
      return false;
    } finally {
      this.isSaving = false;
    }
  }

  async #refused(refusal: Refusal): Promise<void> {
    if (refusal.code !== 'DRAFT_CONFLICT') {
      this.refusal = refusal;
      return;
    }
    try {
      const theirs = await this.#options.load();
      const merged = merge(this.#base.fields, this.#now(), theirs.fields);
      this.conflict = { ...theirs, merged };
    } catch (error) {
      this.refusal = refusalOf(error);
    }
  }

  /** Ends a conflict as chosen, and saves. What wasn't chosen is put aside. */
  async settle(choices: Choices): Promise<boolean> {
    const { conflict } = this;
    if (!conflict) return false;
    const { version, fields, merged } = conflict;
    const left = (merged.clashes as (keyof T & string)[]).flatMap((name) => {
      const choice = choices[name] ?? 'mine';
      if (choice === 'both') return [];
      return [[name, choice === 'mine' ? fields[name] : merged.fields[name]] as const];
    });
    this.aside = left.length === 0 ? undefined : (Object.fromEntries(left) as Partial<T>);
    this.fields = settled(merged, fields, choices);
    this.#base = { version, fields };
    this.conflict = undefined;
    this.keep();
    return this.save();
  }

  /** Leaves the conflict as it is, to go on writing; the next save comes back to it. */
  postpone(): void {
    this.conflict = undefined;
  }

  /** Throws away what isn't saved. */
  revert(): void {
    this.replace(this.#base);
  }

  /** Takes other values in place of one's own, to be saved. What they replace unsaved is put aside. */
  take(values: Partial<T>): void {
    const now = this.#now();
    const names = Object.keys(values) as (keyof T)[];
    const left = names.filter(
      (name) => !dequal(now[name], this.#base.fields[name]) && !dequal(now[name], values[name]),
    );
    this.aside =
      left.length === 0
        ? undefined
        : (Object.fromEntries(left.map((name) => [name, now[name]])) as Partial<T>);
    this.fields = { ...now, ...structuredClone(values) };
    this.keep();
  }

  /** Takes what the server has in place of all that is here. */
  replace(saved: Saved<T>): void {
    this.#base = saved;
    this.fields = structuredClone(saved.fields);
    this.wasRestored = false;
    this.refusal = undefined;
    this.keep();
  }

  /** The version that the next save begins from. */
  get version(): number {
    return this.#base.version;
  }

  #now(): T {
    // Svelte's type of a snapshot isn't that of what it was taken of, though nothing here differs.
    const now: unknown = $state.snapshot(this.fields);
    return now as T;
  }
}
