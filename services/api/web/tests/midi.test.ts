import { describe, expect, it } from "vitest";
import { MidiError, parseMidi } from "../src/domain/midi";

const word = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, index) => (value >> (8 * (bytes - 1 - index))) & 0xff);
const chunk = (kind: string, data: number[]) => [
  ...[...kind].map((letter) => letter.charCodeAt(0)),
  ...word(data.length, 4),
  ...data,
];
const END = [0, 0xff, 0x2f, 0];
const file = (tracks: number[][], division = 480) =>
  new Uint8Array([
    ...chunk("MThd", [...word(1, 2), ...word(tracks.length, 2), ...word(division, 2)]),
    ...tracks.flatMap((track) => chunk("MTrk", [...track, ...END])),
  ]);
/** 480 ticks: a quarter note. */
const QUARTER = [0x83, 0x60];

describe("parseMidi", () => {
  it("reads a note at 120 quarters a minute, which files without a tempo have", () => {
    const piece = parseMidi(file([[0, 0x90, 60, 100, ...QUARTER, 0x80, 60, 0]]));
    expect(piece).toEqual({
      notes: [{ start: 0, duration: 0.5, pitch: 60, velocity: 100, channel: 0, program: 0 }],
      seconds: 0.5,
    });
  });

  it("changes the tempo in the middle of a note, from another track", () => {
    const tempo = [...QUARTER, 0xff, 0x51, 3, ...word(1_000_000, 3)];
    const note = [0, 0x90, 60, 100, 0x87, 0x40, 0x80, 60, 0];
    const [found] = parseMidi(file([tempo, note])).notes;
    expect(found?.duration).toBeCloseTo(0.5 + 1.0);
  });

  it("takes a running status and a note-on without velocity for an end", () => {
    const track = [0, 0x92, 60, 90, ...QUARTER, 60, 0, 0, 64, 80, ...QUARTER, 64, 0];
    const piece = parseMidi(file([track]));
    expect(
      piece.notes.map(({ start, duration, pitch, channel }) => [start, duration, pitch, channel]),
    ).toEqual([
      [0, 0.5, 60, 2],
      [0.5, 0.5, 64, 2],
    ]);
  });

  it("ends notes of one pitch in the order of their beginnings", () => {
    const track = [0, 0x90, 60, 1, ...QUARTER, 0x90, 60, 2, ...QUARTER, 0x80, 60, 0, ...QUARTER, 0x80, 60, 0];
    expect(parseMidi(file([track])).notes.map((note) => [note.velocity, note.duration])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  it("knows the program of each channel, passes over what it does not need, and ends what nobody ended", () => {
    const track = [
      ...[0, 0xc0, 40],
      ...[0, 0xf0, 2, 1, 0xf7],
      ...[0, 0xb0, 7, 100],
      ...[0, 0xe0, 0, 64],
      ...[0, 0xff, 0x03, 2, 65, 66],
      ...[0, 0x90, 70, 64],
      ...[...QUARTER, 0xd0, 5],
    ];
    const piece = parseMidi(file([track]));
    expect(piece.notes).toEqual([
      { start: 0, duration: 0.5, pitch: 70, velocity: 64, channel: 0, program: 40 },
    ]);
  });

  it("passes over chunks of other kinds, and takes a track that is cut off as far as it goes", () => {
    const whole = [...file([[0, 0x90, 60, 100, ...QUARTER, 0x80, 60, 0]])];
    const header = whole.slice(0, 14);
    const track = whole.slice(14);
    expect(parseMidi(new Uint8Array([...header, ...chunk("XFIH", [1, 2]), ...track])).notes).toHaveLength(1);
    expect(parseMidi(new Uint8Array(whole.slice(0, -4))).notes).toHaveLength(1);
  });

  it("holds no note in a file without any", () => {
    expect(parseMidi(file([]))).toEqual({ notes: [], seconds: 0 });
  });

  it.each([
    ["nothing", []],
    ["a picture", [0xff, 0xd8, 0xff, ...new Array(40).fill(0)]],
    ["frames", [...file([[0, 0x90, 60, 1]], 0xe728)]],
    ["no division", [...file([], 0)]],
    ["data without a status", [...file([[0, 60, 100]])]],
    ["a note that is cut off", [...chunk("MThd", [0, 0, 0, 1, 1, 224]), ...chunk("MTrk", [0, 0x90, 60])]],
    ["a number that never ends", [...file([[0xff, 0xff, 0xff, 0xff, 0xff]])]],
  ])("refuses %s", (_, bytes) => {
    expect(() => parseMidi(new Uint8Array(bytes))).toThrow(MidiError);
  });

  it("ends for whatever is thrown at it", () => {
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    };
    const whole = file([[0, 0x90, 60, 100, ...QUARTER, 0x80, 60, 0, ...QUARTER, 0x91, 64, 30]]);
    let refused = 0;
    for (let round = 0; round < 2000; round += 1) {
      const bytes = whole.slice(0, whole.length - (random() % 6));
      for (let change = 0; change < 3; change += 1) bytes[random() % bytes.length] = random() & 0xff;
      try {
        expect(Number.isFinite(parseMidi(bytes).seconds)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(MidiError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});
