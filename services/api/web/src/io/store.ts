/** What the browser keeps. Where it may keep nothing (private windows, full storage) the page works without. */
import type { Remembered } from "../domain/history";

const HISTORY = "scenescore.history";
const DOWNLOAD = "scenescore.download-midi";
const VOLUME = "scenescore.volume";
const NAME = "scenescore.listener";
const LISTENS_AS = "scenescore.listens-as.";
const LINKS = "scenescore.listening-links";
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

function getJson(name: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(get(local, name) ?? "") ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function loadHistory(): Remembered[] {
  const found = getJson(HISTORY, []);
  return Array.isArray(found) ? (found as Remembered[]).filter((entry) => typeof entry?.id === "string") : [];
}

export const saveHistory = (history: readonly Remembered[]) => set(local, HISTORY, JSON.stringify(history));
export const lastEventOf = (id: string) => get(session, SEEN + id);
export const rememberEvent = (id: string, event: string) => set(session, SEEN + id, event);
export const downloadsAtOnce = () => get(local, DOWNLOAD) === "yes";
export const setDownloadsAtOnce = (yes: boolean) => set(local, DOWNLOAD, yes ? "yes" : "no");
export const loadVolume = () => Number(get(local, VOLUME) ?? 0.8);
export const saveVolume = (volume: number) => set(local, VOLUME, String(volume));

/** Who rates in this browser. */
export const loadName = () => get(local, NAME) ?? "";
export const saveName = (name: string) => set(local, NAME, name);
/** Who goes through the session behind this token here; null where nobody has begun. */
export const listensAs = (token: string) => get(local, LISTENS_AS + token);
export const setListensAs = (token: string, name: string) => set(local, LISTENS_AS + token, name);

/** The links of listening sessions that were made here, by the session's id: the server tells each once. */
function links(): Record<string, string> {
  return { ...(getJson(LINKS, {}) as Record<string, string>) };
}

export const linkOf = (session: string): string | null => links()[session] ?? null;
export const rememberLink = (session: string, link: string) =>
  set(local, LINKS, JSON.stringify({ ...links(), [session]: link }));
export const forgetLinks = () => set(local, LINKS, "{}");
