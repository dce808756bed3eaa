/** What one may ask of a job, between the form and the API. */
import type { Capabilities, Job, JobOptions, Mix } from "./job";

/** The form's state; null leaves the choice to the composer. */
export interface Settings {
  seconds: number;
  seed: number | null;
  temperature: number | null;
  tempo_bpm: number | null;
  key: string | null;
  instrument: string | null;
  variations: number;
  /** Weights of 0-100 that replace what the classifier says. */
  mix: Mix | null;
}

export const DEFAULTS: Settings = {
  seconds: 30,
  seed: null,
  temperature: null,
  tempo_bpm: null,
  key: null,
  instrument: null,
  variations: 1,
  mix: null,
};

export interface Range {
  min: number;
  max: number;
}

export type OptionName = keyof JobOptions;

/** Whether this server takes the option. */
export function isTaken(capabilities: Capabilities, name: OptionName): boolean {
  return name in capabilities.options.properties;
}

/** The bounds that the server's schema names for a number; null where it takes none such. */
export function rangeOf(capabilities: Capabilities, name: OptionName): Range | null {
  const schema = capabilities.options.properties[name];
  const found = [schema, ...(schema?.anyOf ?? [])].find((part) => part?.maximum !== undefined);
  if (found?.maximum === undefined) return null;
  return { min: found.minimum ?? 0, max: found.maximum };
}

/** What is sent: only what was chosen, and only what this server takes. */
export function toOptions(settings: Settings, capabilities: Capabilities): JobOptions {
  const { mix, ...rest } = settings;
  const chosen: JobOptions = {};
  for (const [name, value] of Object.entries(rest) as [OptionName, number | string | null][]) {
    if (value !== null && isTaken(capabilities, name)) Object.assign(chosen, { [name]: value });
  }
  if (chosen.variations === 1) delete chosen.variations;
  if (mix !== null) chosen.emotions = mix;
  return chosen;
}

/** A job's settings for the form, with the seed that it was given or drew. */
export function settingsOf(job: Job): Settings {
  const { options } = job.input;
  const weights = Object.entries(options.emotions ?? {}).map(([emotion, share]) => [
    emotion,
    Math.round(100 * share),
  ]);
  return {
    seconds: options.seconds ?? DEFAULTS.seconds,
    seed: options.seed ?? job.provenance.seed ?? null,
    temperature: options.temperature ?? null,
    tempo_bpm: options.tempo_bpm ?? null,
    key: options.key ?? null,
    instrument:
      options.instrument === undefined || options.instrument === null ? null : String(options.instrument),
    variations: options.variations ?? 1,
    mix: options.emotions ? (Object.fromEntries(weights) as Mix) : null,
  };
}

/** Each weight as a share of all; all equal where everything is 0. */
export function shares(mix: Mix): Mix {
  const names = Object.keys(mix);
  const sum = names.reduce((total, name) => total + (mix[name] ?? 0), 0);
  return Object.fromEntries(names.map((name) => [name, sum > 0 ? (mix[name] ?? 0) / sum : 1 / names.length]));
}

const TONICS = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
export const KEYS: string[] = ["major", "minor"].flatMap((mode) => TONICS.map((tonic) => `${tonic} ${mode}`));

/** Names of General MIDI that a listener can tell apart; the API takes all 128. */
export const INSTRUMENTS = [
  "acoustic grand piano",
  "electric piano 1",
  "harpsichord",
  "celesta",
  "music box",
  "vibraphone",
  "marimba",
  "church organ",
  "accordion",
  "acoustic guitar (nylon)",
  "orchestral harp",
  "violin",
  "cello",
  "string ensemble 1",
  "choir aahs",
  "trumpet",
  "french horn",
  "clarinet",
  "flute",
  "pan flute",
  "sitar",
];
