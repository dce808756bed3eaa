/** Where notes lie in a piano roll: time from left to right, pitch from bottom to top. Pixels of CSS. */
import type { Note } from "./midi";

export interface Roll {
  width: number;
  height: number;
  /** Seconds that the width shows. */
  seconds: number;
  /** The lowest and the highest pitch that have a row. */
  lowest: number;
  highest: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const MARGIN_ROWS = 2;
const FEWEST_ROWS = 24;
const THINNEST = 1.5;

/** A roll with room for all notes, and for two octaves at least, so that few notes are no thick bars. */
export function rollFor(notes: readonly Note[], seconds: number, width: number, height: number): Roll {
  const pitches = notes.map((note) => note.pitch);
  let lowest = pitches.reduce((low, pitch) => Math.min(low, pitch), 127) - MARGIN_ROWS;
  let highest = pitches.reduce((high, pitch) => Math.max(high, pitch), 0) + MARGIN_ROWS;
  if (pitches.length === 0) [lowest, highest] = [60, 60];
  const missing = FEWEST_ROWS - (highest - lowest + 1);
  if (missing > 0) {
    lowest -= Math.floor(missing / 2);
    highest += Math.ceil(missing / 2);
  }
  return { width, height, seconds: Math.max(seconds, 0.001), lowest, highest };
}

export function xAt(roll: Roll, seconds: number): number {
  return (seconds / roll.seconds) * roll.width;
}

/** The time at a place, kept within the piece. */
export function timeAt(roll: Roll, x: number): number {
  return Math.min(roll.seconds, Math.max(0, (x / roll.width) * roll.seconds));
}

export function boxOf(roll: Roll, note: Note): Box {
  const row = roll.height / (roll.highest - roll.lowest + 1);
  return {
    x: xAt(roll, note.start),
    y: (roll.highest - note.pitch) * row,
    width: Math.max(THINNEST, xAt(roll, note.duration) - 0.5),
    height: Math.max(THINNEST, row - 0.5),
  };
}

export type Moment = "past" | "now" | "future";

export function momentOf(note: Note, position: number): Moment {
  if (position >= note.start + note.duration) return "past";
  return position >= note.start ? "now" : "future";
}

/** As people read times: 0:07, 2:30. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
