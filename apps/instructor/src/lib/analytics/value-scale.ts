import { nice, ticks } from 'd3-array';

/** A scale from nought up, in round numbers. */
export type ValueScale = {
  /** The values that lines are drawn at. */
  ticks: readonly number[];
  /** How far up a value is. */
  percent(value: number): number;
};

/** Lines on the way up; few, so that they read as a background. */
const LINES = 4;

/** The scale that holds all values; of whole things, so its steps are never less than one. */
export function valueScale(values: readonly number[]): ValueScale {
  const [, top] = nice(0, Math.max(LINES, ...values), LINES);
  return { ticks: ticks(0, top, LINES), percent: (value) => (100 * value) / top };
}
