import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig } from "vitest/config";

const HERE = import.meta.dirname;
const SOURCES = ["index.html", "package-lock.json", "package.json", "src", "tsconfig.json", "vite.config.ts"];

/** SHA-256 over the names and contents of what the page is built from, so that a stale build is seen without Node. */
function sourcesHash(): string {
  const hash = createHash("sha256");
  const files = SOURCES.flatMap((name) =>
    name === "src"
      ? readdirSync(join(HERE, name), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => relative(HERE, join(entry.parentPath, entry.name)))
      : [name],
  );
  for (const file of files.sort()) {
    hash.update(`${file}\n`).update(readFileSync(join(HERE, file)));
  }
  return `${hash.digest("hex")}\n`;
}

export default defineConfig({
  plugins: [
    {
      name: "built-from",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "built-from.sha256", source: sourcesHash() });
      },
    },
  ],
  build: {
    outDir: "../src/scenescore_api/page/static",
    emptyOutDir: true,
    // a data: URL would need a wider policy
    assetsInlineLimit: 0,
    modulePreload: false,
    target: "es2022",
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8000" } },
  test: { include: ["tests/**/*.test.ts"] },
});
