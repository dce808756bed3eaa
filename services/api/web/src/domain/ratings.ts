/** What listeners say of a piece: the thesis's two questions and five grades. */

/** The best first. */
export const GRADES = ["excellent", "good", "fair", "poor", "bad"] as const;
export type Grade = (typeof GRADES)[number];

/** As headings and labels have it. */
export const gradeName = (grade: Grade) => grade.charAt(0).toUpperCase() + grade.slice(1);

/** The grades of a piece; a job without a picture has none for the fit. */
export interface Grades {
  quality: Grade;
  fit: Grade | null;
}

/** Grades while they are chosen. */
export type Draft = { [Measure in keyof Grades]: Grade | null };

export interface Rating extends Grades {
  listener: string;
  output: string;
  /** Of the listening session in which it was given; null outside of one. */
  session_id: string | null;
  /** RFC 3339. */
  updated_at: string;
}

export const UNRATED: Draft = { quality: null, fit: null };
export const LONGEST_NAME = 64;

/** The grades when all that is asked has been chosen, else what to do about it. */
export function gradesOf(draft: Draft, hasPicture: boolean): Grades | string {
  const { quality } = draft;
  const fit = hasPicture ? draft.fit : null;
  if (quality === null) {
    const both = hasPicture && fit === null;
    return `Choose a grade for the music${both ? " and one for its fit to the picture" : ""} first.`;
  }
  if (hasPicture && fit === null) return "Choose a grade for the fit to the picture, too.";
  return { quality, fit };
}

/** Whether the draft says something else than what is saved. */
export function isChanged(draft: Draft, saved: Grades | null): boolean {
  return draft.quality !== (saved?.quality ?? null) || draft.fit !== (saved?.fit ?? null);
}

/** Control characters, what ends a line or turns text around, and halves of characters. */
const UNSEEN = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069\ufffe\uffff]/u;

/** Why a name can't be used, as the API has it (`LISTENER_PATTERN`); null when it can. Names stand in paths, in charts,
 * and in tables that spreadsheets open. */
export function nameComplaint(name: string): string | null {
  const trimmed = name.trim();
  if (trimmed === "") return "Write a name first; a nickname will do.";
  if (trimmed.length > LONGEST_NAME) return `This name is too long: ${LONGEST_NAME} letters are the most.`;
  if (/^[.=+@-]|^[\uff1d\uff0b\uff0d\uff20]|[;/\\]/.test(trimmed))
    return "Begin the name with a letter, and use no slash and no semicolon in it.";
  if (UNSEEN.test(trimmed))
    return "There is a character in this name that can't be seen, a tab perhaps. Type the name anew.";
  return null;
}

/** A name that was kept in the browser; null where there is none, or none that can be used. */
export function keptName(name: string | null): string | null {
  return name === null || nameComplaint(name) !== null ? null : name;
}

/** A name for somebody who gives none, from random bytes. */
export function madeUpName(random: Uint8Array): string {
  return `listener-${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
