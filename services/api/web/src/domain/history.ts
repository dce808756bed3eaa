/** The gallery: what this browser remembers, together with what the server lists. */
import type { Job, Mix, Status } from "./job";

/** What a browser keeps of a job that it submitted. */
export interface Remembered {
  id: string;
  /** RFC 3339. */
  at: string;
  status: Status;
  emotions: Mix | null;
  /** A small copy of the picture as a data: URL. */
  thumbnail: string | null;
}

export interface Entry extends Remembered {
  mine: boolean;
  image: string | null;
}

export const MOST_REMEMBERED = 40;

/** The newest first, each job once, no more than are worth keeping. */
export function remember(history: readonly Remembered[], entry: Remembered): Remembered[] {
  const others = history.filter((other) => other.id !== entry.id);
  return [entry, ...others].sort(newestFirst).slice(0, MOST_REMEMBERED);
}

/** What is remembered of a job, brought up to date. */
export function updated(history: readonly Remembered[], job: Job): Remembered[] {
  return history.map((entry) =>
    entry.id === job.id ? { ...entry, status: job.status, emotions: job.emotions } : entry,
  );
}

/** Both together, newest first. The server knows best how a job is; what it no longer lists is as remembered. */
export function merged(history: readonly Remembered[], listed: readonly Job[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const entry of history) entries.set(entry.id, { ...entry, mine: true, image: null });
  for (const job of listed) {
    const known = entries.get(job.id);
    entries.set(job.id, {
      id: job.id,
      at: job.created_at,
      status: job.status,
      emotions: job.emotions,
      thumbnail: known?.thumbnail ?? null,
      mine: known !== undefined,
      image: job.links.image,
    });
  }
  return [...entries.values()].sort(newestFirst);
}

/** Ids are UUIDv7: they sort by time. */
function newestFirst(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? 1 : -1;
}
