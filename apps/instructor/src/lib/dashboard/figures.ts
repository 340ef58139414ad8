import type { Overview } from '@homeroom/api/contract';

/** A number of the strip, with how it has gone. */
export type Figure = {
  key: 'students' | 'online' | 'completions' | 'rating' | 'revenue';
  label: string;
  /** Null: there is none yet. */
  value: number | null;
  format?: Intl.NumberFormatOptions;
  /** What the line says, in words. */
  trend: string;
  line: readonly number[];
};

type Days = Overview['days'];
type Money = Record<string, number>;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Amounts by currency, added up. */
function addMoney(amounts: readonly Money[]): Money {
  const total: Money = {};
  for (const amount of amounts) {
    for (const [currency, cents] of Object.entries(amount)) {
      total[currency] = (total[currency] ?? 0) + cents;
    }
  }
  return total;
}

/** The currency that most was paid in; euros before anything was. */
function mainCurrency(revenue: Money): string {
  const [most] = Object.entries(revenue).sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 'EUR';
}

const inMoney = (currency: string): Intl.NumberFormatOptions => ({
  style: 'currency',
  currency,
  maximumFractionDigits: 0,
});

/** "8 in 7 days, 3 more than in the 7 before". */
function weekly(values: readonly number[], say = (value: number) => String(value)): string {
  const week = sum(values.slice(-7));
  const difference = week - sum(values.slice(-14, -7));
  if (week === 0 && difference === 0) return 'None in 14 days';
  const compared =
    difference === 0
      ? 'as many as before'
      : `${say(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'} than before`;
  return `${say(week)} in 7 days, ${compared}`;
}

/** The five numbers over all of the courses shown. */
export function figuresOf({ courses, days, hours }: Omit<Overview, 'attention'>): Figure[] {
  const all = courses.map(({ stats }) => stats);
  const ratings = sum(all.map(({ ratingCount }) => ratingCount));
  const revenue = addMoney(all.map((stats) => stats.revenue));
  const currency = mainCurrency(revenue);
  const paid = days.map((day) => (day.revenue[currency] ?? 0) / 100);
  const { [currency]: cents = 0, ...others } = revenue;
  const money = (value: number, of = currency) =>
    new Intl.NumberFormat('en', inMoney(of)).format(value);
  const besides = Object.entries(others).map(([of, amount]) => money(amount / 100, of));
  return [
    {
      key: 'students',
      label: 'Students',
      value: sum(all.map(({ totalEnrollments }) => totalEnrollments)),
      trend: weekly(days.map(({ enrolled }) => enrolled)),
      line: days.map(({ enrolled }) => enrolled),
    },
    {
      key: 'online',
      label: 'Active now',
      value: sum(all.map(({ onlineStudents }) => onlineStudents)),
      trend: `${sum(hours)} happenings in 24 hours`,
      line: hours,
    },
    {
      key: 'completions',
      label: 'Completions',
      value: sum(all.map(({ completedCount }) => completedCount)),
      trend: weekly(days.map(({ completed }) => completed)),
      line: days.map(({ completed }) => completed),
    },
    {
      key: 'rating',
      label: 'Average rating',
      value: ratings === 0 ? null : sum(all.map(({ ratingSum }) => ratingSum)) / ratings,
      format: { minimumFractionDigits: 1, maximumFractionDigits: 1 },
      trend: ratings === 0 ? 'No ratings yet' : `${ratings} ratings, ${lately(days)}`,
      line: averages(days),
    },
    {
      key: 'revenue',
      label: 'Revenue',
      value: cents / 100,
      format: inMoney(currency),
      trend: [weekly(paid, (value) => money(value)).replace('fewer', 'less'), ...besides].join(
        ', and ',
      ),
      line: paid,
    },
  ];
}

function lately(days: Days): string {
  const count = sum(days.map(({ ratingCount }) => ratingCount));
  if (count === 0) return 'none in 14 days';
  const average = sum(days.map(({ ratingSum }) => ratingSum)) / count;
  return `${average.toFixed(1)} in 14 days`;
}

/** The average of each day; on days without ratings, that of the day before. */
function averages(days: Days): number[] {
  let last = 0;
  return days.map(({ ratingCount, ratingSum }) => {
    if (ratingCount > 0) last = ratingSum / ratingCount;
    return last;
  });
}
