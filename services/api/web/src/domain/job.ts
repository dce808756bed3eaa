/** The API's answers as the page reads them: see /openapi.json. */

export type Status = "queued" | "running" | "succeeded" | "failed" | "canceled" | "expired";
export type Step = "classify" | "compose" | "render";
export type Mix = Record<string, number>;

export interface JobOptions {
  seed?: number | null;
  seconds?: number;
  temperature?: number | null;
  tempo_bpm?: number | null;
  key?: string | null;
  instrument?: string | number | null;
  variations?: number;
  emotions?: Mix | null;
}

export interface Output {
  name: string;
  content_type: string;
  bytes: number;
  url: string;
}

export interface Clip {
  id: string;
  title: string;
  emotion: string;
  licence: string;
}

export interface Job {
  id: string;
  status: Status;
  step: Step | null;
  progress: number;
  queue_position: number | null;
  input: { image: { width: number; height: number } | null; options: JobOptions };
  emotions: Mix | null;
  outputs: Output[];
  music: { seconds: number; tempo_bpm: number; key: string; notes: number } | null;
  provenance: { seed?: number; classifier?: string; composer?: string; corpus?: string; clips?: Clip[] };
  error: { code: string; message: string } | null;
  warnings: { code: string; message: string }[];
  created_at: string;
  expires_at: string | null;
  links: { image: string | null; events: string; cancel: string; self: string };
}

export interface Session {
  keys_required: boolean;
  signed_in: boolean;
  owner: string | null;
}

/** The JSON Schema of one option, as far as the page looks into it. */
export interface OptionSchema {
  minimum?: number;
  maximum?: number;
  default?: unknown;
  anyOf?: OptionSchema[];
}

export interface Capabilities {
  emotions: string[];
  picture: { content_types: string[]; max_bytes: number };
  options: { properties: Record<string, OptionSchema> };
}

export function isEnded(status: Status): boolean {
  return status !== "queued" && status !== "running";
}

/** How much larger a share must be to count as larger: shares have three decimals. */
const EVEN = 0.005;

/** The emotion with the largest share; null for no mix, and where others have as much. */
export function strongest(mix: Mix | null): string | null {
  const entries = Object.entries(mix ?? {});
  if (entries.length === 0) return null;
  const [first, second] = entries.sort(([, a], [, b]) => b - a);
  return first && first[1] - (second?.[1] ?? 0) > EVEN ? first[0] : null;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

const AUDIO = ["music.ogg", "music.mp3", "music.wav"];

/** One of the job's pieces of music: the files of a variation, by kind. */
export interface Piece {
  number: number;
  midi: Output;
  audio: Output[];
  others: Output[];
}

/** The job's pieces in order: `music-2.mid` is the second one's. Audio comes smallest format first. */
export function piecesOf(outputs: readonly Output[]): Piece[] {
  const byNumber = new Map<number, Output[]>();
  for (const output of outputs) {
    const number = Number(/-(\d+)\./.exec(output.name)?.[1] ?? 1);
    byNumber.set(number, [...(byNumber.get(number) ?? []), output]);
  }
  const pieces: Piece[] = [];
  for (const [number, files] of [...byNumber].sort(([a], [b]) => a - b)) {
    const midi = files.find((file) => plainName(file.name) === "music.mid");
    if (midi === undefined) continue;
    const audio = AUDIO.flatMap((name) => files.filter((file) => plainName(file.name) === name));
    const others = files.filter((file) => file !== midi && !audio.includes(file));
    pieces.push({ number, midi, audio, others });
  }
  return pieces;
}

/** Where something that can be heard lies: its notes, and files of sound in the order in which they are tried. */
export interface Track {
  midi: string;
  sounds: { url: string; type: string }[];
}

function plainName(name: string): string {
  return name.replace(/-\d+\./, ".");
}

/** What a downloaded file is called: the strongest emotion, the seed, and the piece's number where there are several. */
export function downloadName(job: Pick<Job, "id" | "emotions" | "provenance">, output: Output): string {
  const [stem = "", suffix = ""] = output.name.split(".", 2);
  const kind = stem.startsWith("music") ? stem.slice("music".length) : `-${stem}`;
  const seed = job.provenance.seed ?? job.id.slice(0, 8);
  return `scenescore-${strongest(job.emotions) ?? (job.emotions ? "mixed" : "music")}-${seed}${kind}.${suffix}`;
}
