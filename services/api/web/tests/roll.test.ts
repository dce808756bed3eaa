import { describe, expect, it } from "vitest";
import type { Note } from "../src/domain/midi";
import { boxOf, clock, momentOf, rollFor, timeAt, xAt } from "../src/domain/roll";

const note = (pitch: number, start: number, duration: number): Note => ({
  pitch,
  start,
  duration,
  velocity: 80,
  channel: 0,
  program: 0,
});

describe("the piano roll", () => {
  it("has room for every note and a margin", () => {
    const roll = rollFor([note(40, 0, 1), note(80, 1, 1)], 10, 1000, 430);
    expect([roll.lowest, roll.highest]).toEqual([38, 82]);
    for (const pitch of [40, 80]) {
      const box = boxOf(roll, note(pitch, 9, 1));
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.y + box.height).toBeLessThanOrEqual(430);
      expect(box.x + box.width).toBeLessThanOrEqual(1000);
    }
  });

  it("shows two octaves at least, around what there is", () => {
    const roll = rollFor([note(60, 0, 1)], 10, 1000, 240);
    expect(roll.highest - roll.lowest + 1).toBe(24);
    expect(Math.abs((roll.highest + roll.lowest) / 2 - 60)).toBeLessThanOrEqual(0.5);
    expect(rollFor([], 0, 100, 100).highest).toBeGreaterThan(rollFor([], 0, 100, 100).lowest);
  });

  it("goes from time to place and back", () => {
    const roll = rollFor([note(60, 0, 1)], 30, 600, 240);
    expect(xAt(roll, 15)).toBe(300);
    for (const time of [0, 1.5, 29, 30]) expect(timeAt(roll, xAt(roll, time))).toBeCloseTo(time);
    expect(timeAt(roll, -20)).toBe(0);
    expect(timeAt(roll, 900)).toBe(30);
  });

  it("lays higher notes higher, later ones further right, and none so thin that it can't be seen", () => {
    const roll = rollFor([note(60, 0, 1), note(72, 5, 1)], 180, 300, 200);
    const [low, high] = [boxOf(roll, note(60, 0, 0.01)), boxOf(roll, note(72, 5, 0.01))];
    expect(high.y).toBeLessThan(low.y);
    expect(high.x).toBeGreaterThan(low.x);
    expect(low.width).toBeGreaterThan(1);
  });

  it("tells what has been played, what sounds, and what is to come", () => {
    const moments = [0, 1, 1.5, 2].map((position) => momentOf(note(60, 1, 1), position));
    expect(moments).toEqual(["future", "now", "now", "past"]);
  });

  it("writes times as people read them", () => {
    expect([0, 7.9, 60, 150, -1].map(clock)).toEqual(["0:00", "0:07", "1:00", "2:30", "0:00"]);
  });
});
