import { describe, expect, it } from "vitest";
import {
  afterSaving,
  countRatable,
  countRated,
  isOpen,
  type Listening,
  type ListeningItem,
  nextUnrated,
  progressOf,
  rated,
  type Walk,
} from "../src/domain/listening";
import { placeOf } from "../src/domain/places";
import {
  type Draft,
  type Grades,
  gradesOf,
  isChanged,
  keptName,
  madeUpName,
  nameComplaint,
  UNRATED,
} from "../src/domain/ratings";
import {
  type Counts,
  chosenVersions,
  countOf,
  type Difference,
  verdict,
  written,
  writtenShare,
} from "../src/domain/report";
import { ApiError, listeningSentence, unreachable } from "../src/domain/sentences";

const GOOD: Grades = { quality: "good", fit: "fair" };
const item = (name: string, changes: Partial<ListeningItem> = {}): ListeningItem => ({
  item: name,
  has_picture: true,
  has_sound: true,
  available: true,
  rating: null,
  ...changes,
});

describe("a rating", () => {
  it("needs a grade for each question, and only for those that are asked", () => {
    const draft: Draft = { quality: "good", fit: "fair" };
    expect(gradesOf(draft, true)).toEqual(GOOD);
    expect(gradesOf({ ...draft, fit: null }, true)).toContain("the fit");
    expect(gradesOf({ ...draft, quality: null }, true)).toBe("Choose a grade for the music first.");
    expect(gradesOf(UNRATED, true)).toContain("music and one for its fit");
    expect(gradesOf({ quality: "good", fit: null }, false)).toEqual({ quality: "good", fit: null });
    // chosen before, perhaps, for another piece
    expect(gradesOf(draft, false)).toEqual({ quality: "good", fit: null });
  });

  it("is changed when it says something else than what is saved", () => {
    expect(isChanged(GOOD, GOOD)).toBe(false);
    expect(isChanged({ ...GOOD, fit: "bad" }, GOOD)).toBe(true);
    expect([isChanged(GOOD, null), isChanged(UNRATED, null)]).toEqual([true, false]);
  });

  it("goes by a name that the API takes", () => {
    expect([nameComplaint("ann"), nameComplaint(" Åsa of 3 b "), nameComplaint("x".repeat(64))]).toEqual([
      null,
      null,
      null,
    ]);
    for (const name of ["", "  ", "x".repeat(65), "=1+1", "../x", "a/b", "a\\b", "-x", "@x"]) {
      expect(nameComplaint(name), name).toMatch(/^[A-Z].*[.]$/);
    }
    for (const name of ["x;=1+1", "x;", "\uff1d1", "\uff0bx", "\uff0dx", "\uff20x"]) {
      expect(nameComplaint(name), name).toContain("no semicolon");
    }
    const unseen = [
      "\t",
      "\n",
      "\0",
      "\x1f",
      "\x7f",
      "\x85",
      "\u2028",
      "\u202e",
      "\u2066",
      "\ufffe",
      "\ud83d",
    ];
    for (const each of unseen) {
      expect(nameComplaint(`a${each}b`), JSON.stringify(each)).toContain("can't be seen");
    }
    for (const name of ["a=b", "a\uff1db", "Zoë\u00a0K", "\ud83c\udfb5 ann", "\u05d3\u05df"]) {
      expect(nameComplaint(name), name).toBeNull();
    }
    const made = madeUpName(new Uint8Array([0, 255, 16, 1]));
    expect(made).toBe("listener-00ff1001");
    expect(nameComplaint(made)).toBeNull();
  });
});

it("a name that was kept is forgotten where it can't be used", () => {
  expect([keptName("ann"), keptName("a\tb"), keptName(""), keptName(null)]).toEqual([
    "ann",
    null,
    null,
    null,
  ]);
});

describe("a listening session", () => {
  const items = [item("a", { rating: GOOD }), item("b"), item("c", { available: false }), item("d")];

  it("goes on with what is not rated, from the beginning again at the end, and past what has gone", () => {
    expect([-1, 0, 1, 2, 3].map((index) => nextUnrated(items, index))).toEqual([1, 1, 3, 3, 1]);
    const done = items.map((one) => ({ ...one, rating: one.available ? GOOD : null }));
    expect([nextUnrated(done, -1), nextUnrated([], -1)]).toEqual([null, null]);
  });

  it("counts what is rated, and what can be", () => {
    expect([countRated(items), countRatable(items)]).toEqual([1, 3]);
    const gone = [item("a", { available: false, rating: GOOD })];
    expect([countRated(gone), countRatable(gone)]).toEqual([1, 1]);
  });

  it("takes a rating, and a changed one once", () => {
    const before: Listening = { title: "t", total: 4, rated: 1, closes_at: null, items };
    const once = rated(before, "b", GOOD);
    expect([once.rated, once.items[1]?.rating]).toEqual([2, GOOD]);
    const twice = rated(once, "b", { ...GOOD, quality: "bad" });
    expect([twice.rated, twice.items[1]?.rating?.quality]).toEqual([2, "bad"]);
    expect(before.items[1]?.rating).toBeNull();
  });

  it("goes on once grades are saved, unless something else is in view by then", () => {
    const listening: Listening = { title: "t", total: 4, rated: 1, closes_at: null, items };
    const walk: Walk = { name: "ann", listening, index: 1 };
    const after = afterSaving(walk, "ann", "b", GOOD);
    expect([after?.index, after?.listening.rated]).toEqual([3, 2]);
    // grades saved late take nothing back, and no other listener's place
    const since: Walk = { ...walk, listening: rated(listening, "d", GOOD), index: 3 };
    const late = afterSaving(since, "ann", "b", GOOD);
    expect([late?.index, late?.listening.rated]).toEqual([3, 3]);
    expect(afterSaving({ ...walk, index: null }, "ann", "b", GOOD)?.index).toBeNull();
    for (const other of [{ ...walk, name: "bo" }, { ...walk, name: null }, null]) {
      expect(afterSaving(other, "ann", "b", GOOD)).toBe(other);
    }
  });

  it("is open until its time is over", () => {
    const now = new Date("2026-03-01T12:00:00Z");
    const times = [null, "2026-03-01T12:00:01Z", "2026-03-01T12:00:00Z"];
    expect(times.map((closes_at) => isOpen({ closes_at }, now))).toEqual([true, true, false]);
  });

  it("tells its owner how far all are", () => {
    const listeners = [
      { listener: "ann", rated: 3, of: 4 },
      { listener: "bo", rated: 1, of: 4 },
    ];
    expect(progressOf({ listeners })).toEqual({ rated: 4, of: 8 });
    expect(progressOf({ listeners: [] })).toEqual({ rated: 0, of: 0 });
  });

  it("tells those without a key what to do, and nothing of keys", () => {
    const errors = [new ApiError(404, "not_found", "x"), new ApiError(401, "not_authenticated", "x")];
    for (const error of errors) expect(listeningSentence(error)).toContain("Ask whoever sent it");
    expect(listeningSentence(new ApiError(410, "expired", "x"))).toBe(
      "This piece has gone. Go on to the next one.",
    );
    expect(listeningSentence(unreachable())).toContain("can't be reached");
    expect(listeningSentence(new TypeError("x"))).not.toContain("jobs");
  });
});

describe("the report", () => {
  it("writes figures as they are read, and none where there is none", () => {
    expect([3.3125, 3.375, 0.57, -0.0625, 4, null].map((figure) => written(figure))).toEqual([
      "3.31",
      "3.37",
      "0.57",
      "−0.07",
      "4.00",
      "–",
    ]);
    expect(writtenShare({ share: 0.875, low: 0.64, high: 0.965 })).toBe("87.5\u00a0% (64.0–96.5\u00a0%)");
    expect(writtenShare(null)).toBe("–");
  });

  it("counts grades", () => {
    const counts: Counts = { excellent: 2, good: 6, fair: 5, poor: 2, bad: 1 };
    expect([countOf(counts), countOf(null)]).toEqual([16, 0]);
  });

  it("never compares a version with itself", () => {
    const compared = { a: "old", b: "new" };
    expect(chosenVersions(compared, "a", "third")).toEqual(["third", "new"]);
    expect(chosenVersions(compared, "b", "third")).toEqual(["old", "third"]);
    for (const [place, name] of [["a", "new"] as const, ["b", "old"] as const]) {
      expect(chosenVersions(compared, place, name)).toEqual(["new", "old"]);
    }
    expect(chosenVersions(compared, "a", "old")).toEqual(["old", "new"]);
  });

  it("says which version is better only where the interval allows it", () => {
    const difference: Difference = { difference: 0.5, low: 0.2, high: 0.8 };
    expect(verdict(difference)).toBe("the first was graded better: 0.50 points (0.20 to 0.80).");
    expect(verdict({ difference: -0.499, low: -0.801, high: -0.201 })).toBe(
      "the second was graded better: −0.49 points (−0.81 to −0.20).",
    );
    expect(verdict({ ...difference, low: -0.1 })).toContain("no clear difference");
    expect(verdict({ ...difference, low: 0 })).toContain("no clear difference");
    expect(verdict(null)).toContain("too little");
  });
});

it("each address is a place", () => {
  const places = ["/", "/jobs/1", "/jobs/1/", "/listen/scl_x", "/listening", "/listening/", "/listening/all"];
  expect(places.map((path) => placeOf(path).page)).toEqual([
    "home",
    "job",
    "job",
    "listen",
    "sessions",
    "sessions",
    "report",
  ]);
  expect(placeOf("/listening/0197")).toEqual({ page: "session", id: "0197" });
  expect([placeOf("/jobs/"), placeOf("/listen"), placeOf("/else")]).toEqual(
    new Array(3).fill({ page: "home" }),
  );
});
