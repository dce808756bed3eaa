/**
 * Reads Standard MIDI Files (MIDI Manufacturers Association, RP-001) as far as they are heard: notes, programs and
 * tempo. Our own, since the npm packages for it have not been kept for years and bring a writer along.
 */

export interface Note {
  /** Seconds from the beginning. */
  start: number;
  /** Seconds. */
  duration: number;
  /** 0-127; 60 is middle C. */
  pitch: number;
  /** 1-127. */
  velocity: number;
  /** 0-15; 9 is percussion. */
  channel: number;
  /** General MIDI, 0-127. */
  program: number;
}

export interface Piece {
  /** In order of their start. */
  notes: Note[];
  /** When the last note ends. */
  seconds: number;
}

export class MidiError extends Error {}

interface Event {
  tick: number;
  kind: "on" | "off" | "program" | "tempo" | "end";
  channel: number;
  a: number;
  b: number;
}

const DEFAULT_TEMPO = 500_000;

class Reader {
  offset = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.offset;
  }

  byte(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) throw new MidiError("The MIDI file ends too early.");
    this.offset += 1;
    return value;
  }

  number(bytes: number): number {
    let value = 0;
    for (let index = 0; index < bytes; index += 1) value = value * 256 + this.byte();
    return value;
  }

  /** A variable-length quantity of at most four bytes. */
  quantity(): number {
    let value = 0;
    for (let index = 0; index < 4; index += 1) {
      const byte = this.byte();
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    throw new MidiError("The MIDI file holds a number that is too long.");
  }

  take(bytes: number): Uint8Array {
    if (bytes > this.left) throw new MidiError("The MIDI file ends too early.");
    this.offset += bytes;
    return this.bytes.subarray(this.offset - bytes, this.offset);
  }

  text(bytes: number): string {
    return String.fromCharCode(...this.take(bytes));
  }
}

/** Throws MidiError for what is no MIDI file, or one whose time is counted in frames (SMPTE). */
export function parseMidi(bytes: Uint8Array): Piece {
  const reader = new Reader(bytes);
  if (reader.left < 14 || reader.text(4) !== "MThd") throw new MidiError("This is no MIDI file.");
  const header = new Reader(reader.take(reader.number(4)));
  header.number(4);
  const division = header.number(2);
  if (division === 0 || division >= 0x8000) throw new MidiError("The MIDI file's time is not in beats.");
  const events: Event[] = [];
  while (reader.left >= 8) {
    const kind = reader.text(4);
    const length = Math.min(reader.number(4), reader.left);
    const chunk = reader.take(length);
    if (kind === "MTrk") readTrack(new Reader(chunk), events);
  }
  // stable, so that what a track says at one moment stays in its order
  events.sort((a, b) => a.tick - b.tick);
  return played(events, division);
}

function readTrack(reader: Reader, events: Event[]): void {
  let tick = 0;
  let running = 0;
  while (reader.left > 0) {
    tick += reader.quantity();
    let status = reader.byte();
    if (status < 0x80) {
      if (running === 0) throw new MidiError("The MIDI file holds data without a status.");
      reader.offset -= 1;
      status = running;
    }
    if (status === 0xff) {
      const kind = reader.byte();
      const data = reader.take(reader.quantity());
      if (kind === 0x2f) break;
      if (kind === 0x51 && data.length === 3) {
        events.push({ tick, kind: "tempo", channel: 0, a: new Reader(data).number(3), b: 0 });
      }
    } else if (status >= 0xf0) {
      running = 0;
      reader.take(reader.quantity());
    } else {
      running = status;
      readChannelMessage(reader, status, tick, events);
    }
  }
  events.push({ tick, kind: "end", channel: 0, a: 0, b: 0 });
}

function readChannelMessage(reader: Reader, status: number, tick: number, events: Event[]): void {
  const channel = status & 0x0f;
  const message = status >> 4;
  const a = reader.byte() & 0x7f;
  const b = message === 0xc || message === 0xd ? 0 : reader.byte() & 0x7f;
  if (message === 0x9 && b > 0) events.push({ tick, kind: "on", channel, a, b });
  else if (message === 0x8 || message === 0x9) events.push({ tick, kind: "off", channel, a, b: 0 });
  else if (message === 0xc) events.push({ tick, kind: "program", channel, a, b: 0 });
}

function played(events: readonly Event[], division: number): Piece {
  const notes: Note[] = [];
  const sounding = new Map<number, Note[]>();
  const programs = new Array<number>(16).fill(0);
  let tempo = DEFAULT_TEMPO;
  let tick = 0;
  let time = 0;
  for (const event of events) {
    time += ((event.tick - tick) / division) * (tempo / 1e6);
    tick = event.tick;
    const voice = event.channel * 128 + event.a;
    if (event.kind === "tempo") tempo = event.a || DEFAULT_TEMPO;
    else if (event.kind === "program") programs[event.channel] = event.a;
    else if (event.kind === "on") {
      const program = programs[event.channel] ?? 0;
      const note = {
        start: time,
        duration: 0,
        pitch: event.a,
        velocity: event.b,
        channel: event.channel,
        program,
      };
      notes.push(note);
      sounding.set(voice, [...(sounding.get(voice) ?? []), note]);
    } else if (event.kind === "off") {
      const note = sounding.get(voice)?.shift();
      if (note) note.duration = time - note.start;
    }
  }
  for (const open of sounding.values()) for (const note of open) note.duration = time - note.start;
  return { notes, seconds: notes.reduce((end, note) => Math.max(end, note.start + note.duration), 0) };
}
