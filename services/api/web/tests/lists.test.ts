import { describe, expect, it } from "vitest";
import { joined, oneAtATime } from "../src/domain/lists";

describe("a list that comes page after page", () => {
  it("has each entry once, in the order in which they came, as it was told last", () => {
    expect(joined(null, [{ id: "c" }, { id: "b" }])).toEqual([{ id: "c" }, { id: "b" }]);
    const found = [
      { id: "c", rated: 0 },
      { id: "b", rated: 0 },
    ];
    const page = [
      { id: "b", rated: 1 },
      { id: "a", rated: 0 },
    ];
    expect(joined(found, page)).toEqual([
      { id: "c", rated: 0 },
      { id: "b", rated: 1 },
      { id: "a", rated: 0 },
    ]);
    expect(found[1]?.rated).toBe(0);
  });

  it("asks for a page once, however often it is clicked, and again after it came or failed", async () => {
    const asked: string[] = [];
    let fail = false;
    const load = oneAtATime(async (token: string) => {
      asked.push(token);
      await Promise.resolve();
      if (fail) throw new Error("lost");
    });
    await Promise.all([load("1"), load("1")]);
    expect(asked).toEqual(["1"]);
    fail = true;
    await expect(load("2")).rejects.toThrow("lost");
    fail = false;
    await load("3");
    expect(asked).toEqual(["1", "2", "3"]);
  });
});
