import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { expect, it } from "vitest";

const SOURCE = join(import.meta.dirname, "../src");
/** Each folder may import from those before it, and from itself. */
const ORDER = ["domain", "io", "audio", "ui"];
const ALLOWED: Record<string, string[]> = {
  domain: ["domain"],
  io: ["domain", "io"],
  audio: ["domain", "audio"],
  ui: ORDER,
};

it.each(ORDER)("the arrows of %s go one way", (folder) => {
  const imported = readdirSync(join(SOURCE, folder)).flatMap((file) => {
    const text = readFileSync(join(SOURCE, folder, file), "utf8");
    const paths = [...text.matchAll(/from "(\.[^"]+)"/g)].map((match) => match[1] ?? "");
    return paths.map((path) => normalize(join(folder, path)).split("/")[0]);
  });
  expect(imported.filter((other) => !ALLOWED[folder]?.includes(other ?? ""))).toEqual([]);
});
