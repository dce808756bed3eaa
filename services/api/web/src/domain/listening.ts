/** Listening sessions, as listeners go through them and as their owners see them. */
import type { Grades } from "./ratings";

export interface ListeningItem {
  /** Says nothing of the job. */
  item: string;
  has_picture: boolean;
  has_sound: boolean;
  /** Whether its files are still there. */
  available: boolean;
  rating: Grades | null;
}

/** What a link leads to. Without a listener's name there are no items in it. */
export interface Listening {
  title: string;
  total: number;
  rated: number;
  closes_at: string | null;
  items: ListeningItem[];
}

/** How far somebody is. */
export interface Walk {
  /** Null: nobody has given a name yet. */
  name: string | null;
  listening: Listening;
  /** Which piece is in view; null: the end. */
  index: number | null;
}

export interface ListeningSession {
  id: string;
  title: string;
  created_at: string;
  closes_at: string | null;
  jobs: string[];
  listeners: { listener: string; rated: number; of: number }[];
  /** Only in the answer to its making. */
  link?: string | null;
}

const isLeft = (item: ListeningItem) => item.available && item.rating === null;

/** Where a listener goes on after the item at `index` (-1: at the beginning); null when nothing is left to rate. */
export function nextUnrated(items: readonly ListeningItem[], index: number): number | null {
  const after = items.findIndex((item, at) => at > index && isLeft(item));
  const found = after < 0 ? items.findIndex(isLeft) : after;
  return found < 0 ? null : found;
}

/** The session with this item's grades. */
export function rated(listening: Listening, item: string, grades: Grades): Listening {
  const items = listening.items.map((one) => (one.item === item ? { ...one, rating: grades } : one));
  return { ...listening, items, rated: countRated(items) };
}

/** Once this listener's grades of an item are saved: with them, and on to the next piece if that item is still in view.
 * Where somebody else has begun by then nothing is changed. */
export function afterSaving(walk: Walk | null, name: string, item: string, grades: Grades): Walk | null {
  if (walk === null || walk.name !== name) return walk;
  const listening = rated(walk.listening, item, grades);
  const { index } = walk;
  const inView = index !== null && listening.items[index]?.item === item;
  return { ...walk, listening, index: inView ? nextUnrated(listening.items, index) : index };
}

export function countRated(items: readonly ListeningItem[]): number {
  return items.filter((item) => item.rating !== null).length;
}

/** How many can be rated at all, or have been. */
export function countRatable(items: readonly ListeningItem[]): number {
  return items.filter((item) => item.available || item.rating !== null).length;
}

/** Whether its link still leads anywhere. */
export function isOpen(session: Pick<ListeningSession, "closes_at">, now: Date): boolean {
  return session.closes_at === null || now < new Date(session.closes_at);
}

/** Of everybody's ratings that a session may get, how many have come. */
export function progressOf(session: Pick<ListeningSession, "listeners">): { rated: number; of: number } {
  return session.listeners.reduce((sum, { rated, of }) => ({ rated: sum.rated + rated, of: sum.of + of }), {
    rated: 0,
    of: 0,
  });
}
