/** What came of listening: the API's figures, and how they are written. */
import { GRADES, type Grade } from "./ratings";

export type Counts = Record<Grade, number>;

export interface Interval {
  low: number;
  high: number;
}

export interface Figures {
  counts: Counts;
  mean: number | null;
  fair_or_better: ({ share: number } & Interval) | null;
  alpha: number | null;
}

export interface ListenerFigures {
  listener: string;
  /** The same name in two sessions is two listeners. */
  session_id: string | null;
  quality: Counts;
  fit: Counts;
  mean_quality: number | null;
  mean_fit: number | null;
}

export interface VersionFigures {
  /** The names of what made the pieces, together. */
  version: string;
  pieces: number;
  quality: Figures;
  fit: Figures;
}

/** How far the mean of one version lies above that of another, in points. */
export type Difference = { difference: number } & Interval;

export interface Comparison {
  a: string;
  b: string;
  quality: Difference | null;
  fit: Difference | null;
}

export interface RatingsReport {
  pieces: number;
  listeners: ListenerFigures[];
  overall: { quality: Figures; fit: Figures };
  by_version: VersionFigures[];
  comparison: Comparison | null;
  /** The thesis's listeners, who were asked for the quality alone. */
  reference: {
    source: string;
    pieces: number;
    listeners: { listener: string; counts: Counts; mean: number | null }[];
    overall: Figures;
  };
}

/** Which two to compare once `name` was chosen in this place; where it is in the other one they change places. */
export function chosenVersions(
  { a, b }: Pick<Comparison, "a" | "b">,
  place: "a" | "b",
  name: string,
): [string, string] {
  if (name === (place === "a" ? b : a)) return [b, a];
  return place === "a" ? [name, b] : [a, name];
}

const NOTHING = "–";

/** To two decimals, never rounded up. */
export function written(figure: number | null, cut: (value: number) => number = Math.floor): string {
  // rounded first: 0.57 is 0.5699… to a computer
  return figure === null ? NOTHING : (cut(Math.round(figure * 1e8) / 1e6) / 100).toFixed(2).replace("-", "−");
}

export function writtenShare(share: ({ share: number } & Interval) | null): string {
  if (share === null) return NOTHING;
  const [middle, low, high] = [share.share, share.low, share.high].map((part) => (100 * part).toFixed(1));
  return `${middle}\u00a0% (${low}–${high}\u00a0%)`;
}

/** How many grades there are. */
export function countOf(counts: Counts | null): number {
  return GRADES.reduce((sum, grade) => sum + (counts?.[grade] ?? 0), 0);
}

/** What a difference between version `a` and version `b` allows to say: where the interval holds 0, nothing. */
export function verdict(found: Difference | null): string {
  if (found === null) return "too little to tell by: each needs four rated pieces, and grades that differ.";
  const { difference, low, high } = found;
  const figures = `${written(difference, Math.trunc)} points (${written(low)} to ${written(high, Math.ceil)})`;
  if (low <= 0 && high >= 0) return `no clear difference: ${figures}.`;
  return `${difference > 0 ? "the first" : "the second"} was graded better: ${figures}.`;
}
