import { describe, expect, it } from "vitest";
import { EventStreamParser } from "../src/domain/eventStream";
import { beginFollowing, type Following, follow, hasNews, sentence, stages } from "../src/domain/following";
import type { Job } from "../src/domain/job";

const STREAM = `retry: 1000

id: 1
data: {"status":"queued","step":"classify","progress":0.0,"at":"2026-03-01T12:00:00Z"}

event: queue
data: {"queue_position":3}

: still here

id: 2
data: {"status":"running","step":"classify","progress":0.1,"at":"2026-03-01T12:00:04Z"}

`;
const start: Following = {
  status: "queued",
  step: "classify",
  progress: 0,
  queuePosition: 0,
  lastEventId: null,
};

describe("the event stream", () => {
  it("is the same in one piece and in any pieces", () => {
    const whole = new EventStreamParser().push(STREAM);
    expect(whole.map((message) => [message.id, message.event])).toEqual([
      ["1", "message"],
      [null, "queue"],
      ["2", "message"],
    ]);
    for (const size of [1, 2, 7, 50]) {
      const parser = new EventStreamParser();
      const pieces = STREAM.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(whole);
    }
  });

  it("takes any ends of lines, several lines of data, and no half messages", () => {
    const parser = new EventStreamParser();
    expect(parser.push("data: a\r\ndata:b\r\n\r\ndata: c\n")).toEqual([
      { id: null, event: "message", data: "a\nb" },
    ]);
    expect(parser.push("\n")).toEqual([{ id: null, event: "message", data: "c" }]);
    expect(parser.push("id: 7\n\nnothing\n\n")).toEqual([]);
  });

  it("is not misled by a carriage return at the end of a piece", () => {
    const parser = new EventStreamParser();
    expect([...parser.push("data: a\r"), ...parser.push("\n\r"), ...parser.push("\n")]).toHaveLength(1);
  });
});

describe("following a job", () => {
  it("goes on from what the job says and keeps the last id", () => {
    const job = { status: "running", step: "compose", progress: 0.4, queue_position: null } as Job;
    expect(beginFollowing(job, "7")).toEqual({
      status: "running",
      step: "compose",
      progress: 0.4,
      queuePosition: null,
      lastEventId: "7",
    });
  });

  it("takes place after place and change after change", () => {
    let state = start;
    const told = new EventStreamParser().push(STREAM).map((message) => {
      state = follow(state, message);
      return [sentence(state), state.lastEventId];
    });
    expect(told).toEqual([
      ["Waiting for a worker; yours is next.", "1"],
      ["Waiting: 3 jobs come first.", "1"],
      ["Looking at the picture…", "2"],
    ]);
    expect(hasNews(start, state)).toBe(true);
    expect(hasNews(state, { ...state, progress: 0.5 })).toBe(false);
  });

  it("is not misled by what it can't read or does not know", () => {
    for (const message of [
      { id: "9", event: "message", data: "{" },
      { id: "9", event: "message", data: "3" },
      { id: "9", event: "rating", data: "{}" },
    ]) {
      expect(follow(start, message)).toEqual(start);
    }
  });

  it("shows the steps, without looking where there is no picture", () => {
    const state: Following = { ...start, status: "running", step: "compose" };
    expect(stages(state, true).map(({ name, stage }) => [name, stage])).toEqual([
      ["Looking", "done"],
      ["Composing", "now"],
      ["Recording", "next"],
    ]);
    expect(stages(state, false).map(({ name }) => name)).toEqual(["Composing", "Recording"]);
    const ended: Following = { ...state, status: "succeeded", step: null };
    expect(stages(ended, true).every(({ stage }) => stage === "done")).toBe(true);
  });

  it("has a sentence for every end and every place", () => {
    const ends = ["succeeded", "failed", "canceled", "expired"] as const;
    expect(new Set(ends.map((status) => sentence({ ...start, status }))).size).toBe(4);
    expect(sentence({ ...start, queuePosition: 1 })).toBe("Waiting: 1 job comes first.");
    expect(sentence({ ...start, queuePosition: 1000 })).toContain("a thousand");
  });
});
