import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/domain/sentences";
import { getListening, itemTrack, listSessions, rate, rateItem, unrate } from "../src/io/ratings";
import {
  forgetLinks,
  linkOf,
  listensAs,
  loadName,
  rememberLink,
  saveName,
  setListensAs,
} from "../src/io/store";

interface Asked {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}

/** Answers every question alike and remembers it. */
function fakeServer(status: number, answer: unknown, headers: Record<string, string> = {}): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push({
      url,
      method: init.method ?? "GET",
      headers: init.headers as Record<string, string>,
      body: init.body === undefined ? undefined : JSON.parse(init.body as string),
    });
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    return new Response(status === 204 ? null : text, { status, headers });
  });
  return asked;
}

class FakeStorage {
  private readonly kept = new Map<string, string>();
  getItem = (name: string) => this.kept.get(name) ?? null;
  setItem = (name: string, value: string) => void this.kept.set(name, value);
}

beforeEach(() => void vi.stubGlobal("localStorage", new FakeStorage()));
afterEach(() => void vi.unstubAllGlobals());

describe("ratings", () => {
  it("are sent as the API takes them, with the proof that this page asks", async () => {
    const asked = fakeServer(201, {});
    await rate("0197", "Åsa", "music-2.mid", { quality: "good", fit: null });
    await rateItem("scl_x", "a1", "Åsa", { quality: "good", fit: "bad" });
    expect(asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      [
        "POST",
        "/v1/jobs/0197/ratings",
        { listener: "Åsa", output: "music-2.mid", quality: "good", fit: null },
      ],
      ["PUT", "/v1/listening/scl_x/items/a1/ratings/%C3%85sa", { quality: "good", fit: "bad" }],
    ]);
    expect(asked[0]?.headers).toEqual({
      "X-Requested-With": "scenescore",
      "Content-Type": "application/json",
    });
  });

  it("are removed by name and piece", async () => {
    const asked = fakeServer(204, "");
    await unrate("0197", "a b", "music.mid");
    expect(asked[0]?.url).toBe("/v1/jobs/0197/ratings/a%20b?output=music.mid");
  });
});

describe("listening", () => {
  it("asks by name only where there is one, and page after page", async () => {
    const asked = fakeServer(200, { data: [], next_page_token: null });
    await getListening("scl_x", null);
    await getListening("scl_x", "a&b");
    await listSessions("t=1");
    expect(asked.map(({ url }) => url)).toEqual([
      "/v1/listening/scl_x",
      "/v1/listening/scl_x?listener=a%26b",
      "/v1/listening-sessions?page_token=t%3D1",
    ]);
  });

  it("plays sound where there is some", () => {
    expect(itemTrack("t", "i", false)).toEqual({ midi: "/v1/listening/t/items/i/music.mid", sounds: [] });
    expect(itemTrack("t", "i", true).sounds[0]).toEqual({
      url: "/v1/listening/t/items/i/music.ogg",
      type: "audio/ogg",
    });
  });
});

describe("an answer that is none", () => {
  it("is an ApiError with the server's own words", async () => {
    fakeServer(429, { code: "rate_limited", detail: "Too many. Try again in 3 s." }, { "Retry-After": "3" });
    const error = await listSessions(null).catch((problem) => problem);
    expect(error).toBeInstanceOf(ApiError);
    expect([error.status, error.code, error.message, error.retryAfterSeconds]).toEqual([
      429,
      "rate_limited",
      "Too many. Try again in 3 s.",
      3,
    ]);
  });

  it("is one, too, where a proxy speaks or nobody", async () => {
    fakeServer(502, "<html>");
    await expect(listSessions(null)).rejects.toMatchObject({ status: 502, code: "unknown" });
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    await expect(listSessions(null)).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });
});

describe("what the browser keeps", () => {
  it("is the listener's name, and who listens in each session", () => {
    expect([loadName(), listensAs("a")]).toEqual(["", null]);
    saveName("ann");
    setListensAs("a", "bo");
    expect([loadName(), listensAs("a"), listensAs("b")]).toEqual(["ann", "bo", null]);
  });

  it("is each session's link until it is told to forget them", () => {
    rememberLink("1", "/listen/scl_1");
    rememberLink("2", "/listen/scl_2");
    expect([linkOf("1"), linkOf("2"), linkOf("3")]).toEqual(["/listen/scl_1", "/listen/scl_2", null]);
    forgetLinks();
    expect(linkOf("1")).toBeNull();
  });

  it("is nothing where it may keep nothing", () => {
    vi.stubGlobal("localStorage", {
      getItem() {
        throw new Error("denied");
      },
      setItem() {
        throw new Error("denied");
      },
    });
    saveName("ann");
    rememberLink("1", "/listen/scl_1");
    expect([loadName(), linkOf("1")]).toEqual(["", null]);
  });
});
