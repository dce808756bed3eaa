import { describe, expect, it } from "vitest";
import { MOST_REMEMBERED, merged, type Remembered, remember, updated } from "../src/domain/history";
import {
  type Capabilities,
  downloadName,
  type Job,
  type Output,
  piecesOf,
  strongest,
} from "../src/domain/job";
import { ApiError, fileComplaint, jobSentence, sentenceOf, unreachable } from "../src/domain/sentences";
import { DEFAULTS, isTaken, rangeOf, settingsOf, shares, toOptions } from "../src/domain/settings";

const output = (name: string): Output => ({ name, content_type: "x", bytes: 1, url: `/o/${name}` });
const job = (changes: Partial<Job>): Job => ({
  id: "0197",
  status: "succeeded",
  step: null,
  progress: 1,
  queue_position: null,
  input: { image: null, options: {} },
  emotions: { happy: 0.2, sad: 0.8 },
  outputs: [],
  music: null,
  provenance: { seed: 7 },
  error: null,
  warnings: [],
  created_at: "2026-03-01T12:00:00Z",
  expires_at: null,
  links: { image: null, events: "", cancel: "", self: "" },
  ...changes,
});
const capabilities: Capabilities = {
  emotions: ["happy", "sad"],
  picture: { content_types: [], max_bytes: 20_000_000 },
  options: {
    properties: {
      seconds: { minimum: 10, maximum: 180, default: 30 },
      seed: { anyOf: [{ minimum: 0, maximum: 9 }, {}] },
      emotions: { anyOf: [{}] },
    },
  },
};

describe("a job's files", () => {
  it("are pieces, with the sound that loads fastest first", () => {
    const names = [
      "music.wav",
      "music.mid",
      "music.ogg",
      "music-2.mid",
      "pianoroll.png",
      "music-2.ogg",
      "music-3.ogg",
    ];
    const pieces = piecesOf(names.map(output));
    expect(
      pieces.map((piece) => [piece.number, piece.midi.name, piece.audio.map((file) => file.name)]),
    ).toEqual([
      [1, "music.mid", ["music.ogg", "music.wav"]],
      [2, "music-2.mid", ["music-2.ogg"]],
    ]);
    expect(pieces[0]?.others.map((file) => file.name)).toEqual(["pianoroll.png"]);
  });

  it("are called after their feeling and seed when downloaded", () => {
    const names = ["music.mid", "music-2.mid", "pianoroll.png"].map((name) =>
      downloadName(job({}), output(name)),
    );
    expect(names).toEqual([
      "scenescore-sad-7.mid",
      "scenescore-sad-7-2.mid",
      "scenescore-sad-7-pianoroll.png",
    ]);
    const even = job({ emotions: { happy: 0.5, sad: 0.5 } });
    expect(downloadName(even, output("music.mid"))).toBe("scenescore-mixed-7.mid");
    const bare = job({ emotions: null, provenance: {}, id: "0197f2a0-5c1e" });
    expect(downloadName(bare, output("music.mid"))).toBe("scenescore-music-0197f2a0.mid");
  });

  it("tell the strongest feeling", () => {
    expect(strongest({ happy: 0.3, angry: 0.5, sad: 0.2 })).toBe("angry");
    expect(strongest({ happy: 0.4, angry: 0.4, sad: 0.2 })).toBeNull();
    expect([strongest({}), strongest(null)]).toEqual([null, null]);
  });
});

describe("settings", () => {
  it("send only what was chosen and what the server takes", () => {
    expect(toOptions(DEFAULTS, capabilities)).toEqual({ seconds: 30 });
    const chosen = { ...DEFAULTS, seed: 3, tempo_bpm: 90, mix: { happy: 50, sad: 0 } };
    expect(toOptions(chosen, capabilities)).toEqual({
      seconds: 30,
      seed: 3,
      emotions: { happy: 50, sad: 0 },
    });
  });

  it("have the bounds of the server's schema", () => {
    expect(rangeOf(capabilities, "seconds")).toEqual({ min: 10, max: 180 });
    expect(rangeOf(capabilities, "seed")).toEqual({ min: 0, max: 9 });
    expect(rangeOf(capabilities, "tempo_bpm")).toBeNull();
    expect([isTaken(capabilities, "key"), isTaken(capabilities, "emotions")]).toEqual([false, true]);
  });

  it("come back from a job with the seed that it drew", () => {
    const { seed, seconds, mix } = settingsOf(
      job({ input: { image: null, options: { seconds: 60, emotions: { sad: 1 } } } }),
    );
    expect([seed, seconds, mix]).toEqual([7, 60, { sad: 100 }]);
    expect(settingsOf(job({})).mix).toBeNull();
  });

  it("show weights as shares", () => {
    expect(shares({ happy: 30, sad: 10 })).toEqual({ happy: 0.75, sad: 0.25 });
    expect(shares({ happy: 0, sad: 0 })).toEqual({ happy: 0.5, sad: 0.5 });
  });
});

describe("the history", () => {
  const entry = (id: string): Remembered => ({
    id,
    at: "2026-03-01T12:00:00Z",
    status: "queued",
    emotions: null,
    thumbnail: "data:",
  });

  it("keeps each job once, the newest first, and no more than are worth keeping", () => {
    expect(remember([entry("1"), entry("3")], entry("2")).map(({ id }) => id)).toEqual(["3", "2", "1"]);
    const twice = remember([entry("1")], { ...entry("1"), status: "failed" });
    expect(twice.map(({ status }) => status)).toEqual(["failed"]);
    let many: Remembered[] = [];
    for (let id = 100; id < 200; id += 1) many = remember(many, entry(String(id)));
    expect(many).toHaveLength(MOST_REMEMBERED);
    expect(many[0]?.id).toBe("199");
  });

  it("learns how jobs ended, from the page and from the server's list", () => {
    const known = updated([entry("0197"), entry("0198")], job({}));
    expect(known.map(({ status }) => status)).toEqual(["succeeded", "queued"]);
    const listed = [job({ id: "0198", status: "failed" }), job({ id: "0199" })];
    expect(
      merged(known, listed).map(({ id, status, mine, thumbnail }) => [id, status, mine, thumbnail]),
    ).toEqual([
      ["0199", "succeeded", false, null],
      ["0198", "failed", true, "data:"],
      ["0197", "succeeded", true, "data:"],
    ]);
  });
});

describe("failures", () => {
  it("are sentences that say what to do", () => {
    const errors = [
      unreachable(),
      new ApiError(404, "not_found", "There is no job 1."),
      new ApiError(429, "too_many_requests", "That was too many requests. Try again in 3 s.", 3),
      new TypeError("x is undefined"),
    ];
    const told = errors.map(sentenceOf);
    expect(new Set(told).size).toBe(errors.length);
    for (const sentence of told) expect(sentence).toMatch(/^[A-Z].*[.]$/);
    expect(told[3]).not.toContain("undefined");
  });

  it("of jobs end with a remedy", () => {
    expect(jobSentence({ code: "worker_lost", message: "the worker was lost" })).toMatch(
      /^The worker was lost\. Start/,
    );
    expect(jobSentence({ code: "new", message: "No." })).toBe(
      "No. Start it again, or choose another picture.",
    );
  });

  it("of files are known before they are sent", () => {
    const may = 20_000_000;
    expect(fileComplaint({ size: 5, type: "image/png" }, may)).toBeNull();
    expect(fileComplaint({ size: 5, type: "" }, may)).toBeNull();
    expect(fileComplaint({ size: 0, type: "image/png" }, may)).toContain("empty");
    expect(fileComplaint({ size: 5, type: "text/plain" }, may)).toContain("no picture");
    expect(fileComplaint({ size: 25_000_000, type: "image/png" }, may)).toContain("25.0 MB");
  });
});
