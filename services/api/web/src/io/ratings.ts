/** Ratings and listening sessions over HTTP: see `http` for what it throws. */
import type { Track } from "../domain/job";
import type { Listening, ListeningSession } from "../domain/listening";
import type { Grades, Rating } from "../domain/ratings";
import type { RatingsReport } from "../domain/report";
import { ask, type Page, read, send } from "./http";

const part = encodeURIComponent;
const ofJob = (id: string) => `/v1/jobs/${part(id)}/ratings`;

/** What somebody said of a job's pieces. */
export const getRatings = async (job: string, listener: string) =>
  (await read<Page<Rating>>(`${ofJob(job)}?listener=${part(listener)}`)).data;
export const rate = (job: string, listener: string, output: string, grades: Grades) =>
  send<Rating>("POST", ofJob(job), { listener, output, ...grades });
export const unrate = (job: string, listener: string, output: string) =>
  ask(`${ofJob(job)}/${part(listener)}?output=${part(output)}`, { method: "DELETE" });

const SESSIONS = "/v1/listening-sessions";
const ofSession = (id: string) => `${SESSIONS}/${part(id)}`;

export interface NewSession {
  title: string;
  jobs: string[];
  /** RFC 3339. */
  closes_at: string | null;
}

export const makeSession = (session: NewSession) => send<ListeningSession>("POST", SESSIONS, session);
export const listSessions = (token: string | null) =>
  read<Page<ListeningSession>>(token === null ? SESSIONS : `${SESSIONS}?page_token=${part(token)}`);
export const getSession = (id: string) => read<ListeningSession>(ofSession(id));
export const closeSession = (id: string) =>
  read<ListeningSession>(`${ofSession(id)}/close`, { method: "POST" });
export const deleteSession = (id: string) => ask(ofSession(id), { method: "DELETE" });

/** Where a report lies: a session's, or with null that over everything that was rated. */
export const reportUrl = (session: string | null) =>
  session === null ? "/v1/reports/ratings" : `${ofSession(session)}/report`;
/** Compares the two versions, where they are named; else those of most pieces. */
export const getReport = (session: string | null, versions: readonly [string, string] | null) =>
  read<RatingsReport>(
    `${reportUrl(session)}?${new URLSearchParams({ format: "json", ...(versions && { a: versions[0], b: versions[1] }) })}`,
  );

const ofToken = (token: string) => `/v1/listening/${part(token)}`;
const itemUrl = (token: string, item: string, file: string) =>
  `${ofToken(token)}/items/${part(item)}/${file}`;

/** With null only what the session is called and how much there is in it. */
export const getListening = (token: string, listener: string | null) =>
  read<Listening>(listener === null ? ofToken(token) : `${ofToken(token)}?listener=${part(listener)}`);
export const rateItem = (token: string, item: string, listener: string, grades: Grades) =>
  send<unknown>("PUT", itemUrl(token, item, `ratings/${part(listener)}`), grades);
export const itemPicture = (token: string, item: string) => itemUrl(token, item, "image");

const SOUNDS: [string, string][] = [
  ["music.ogg", "audio/ogg"],
  ["music.mp3", "audio/mpeg"],
  ["music.wav", "audio/wav"],
];

/** What may be played of an item: the notes, and files of sound, the smallest kind first. */
export function itemTrack(token: string, item: string, hasSound: boolean): Track {
  const sounds = SOUNDS.map(([name, type]) => ({ url: itemUrl(token, item, name), type }));
  return { midi: itemUrl(token, item, "music.mid"), sounds: hasSound ? sounds : [] };
}
