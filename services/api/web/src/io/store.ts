/** What the browser keeps. Where it may keep nothing (private windows, full storage) the page works without. */
import type { Remembered } from "../domain/history";

const HISTORY = "scenescore.history";
const DOWNLOAD = "scenescore.download-midi";
const VOLUME = "scenescore.volume";
const SEEN = "scenescore.seen.";

function get(storage: () => Storage, name: string): string | null {
  try {
    return storage().getItem(name);
  } catch {
    return null;
  }
}

function set(storage: () => Storage, name: string, value: string): void {
  try {
    storage().setItem(name, value);
  } catch {
    // no room, or not allowed
  }
}

const local = () => localStorage;
const session = () => sessionStorage;

export function loadHistory(): Remembered[] {
  try {
    const found: unknown = JSON.parse(get(local, HISTORY) ?? "[]");
    return Array.isArray(found)
      ? (found as Remembered[]).filter((entry) => typeof entry?.id === "string")
      : [];
  } catch {
    return [];
  }
}

export const saveHistory = (history: readonly Remembered[]) => set(local, HISTORY, JSON.stringify(history));
export const lastEventOf = (id: string) => get(session, SEEN + id);
export const rememberEvent = (id: string, event: string) => set(session, SEEN + id, event);
export const downloadsAtOnce = () => get(local, DOWNLOAD) === "yes";
export const setDownloadsAtOnce = (yes: boolean) => set(local, DOWNLOAD, yes ? "yes" : "no");
export const loadVolume = () => Number(get(local, VOLUME) ?? 0.8);
export const saveVolume = (volume: number) => set(local, VOLUME, String(volume));
