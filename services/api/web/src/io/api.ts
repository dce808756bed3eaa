/** The API over HTTP: see `http` for what it throws. */
import type { Capabilities, Job, JobOptions, Output, Piece, Session, Track } from "../domain/job";
import { unreachable } from "../domain/sentences";
import { ask, type Page, PROOF, problemOf, read } from "./http";

const at = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;

export const getCapabilities = () => read<Capabilities>("/v1/capabilities");
export const getSession = () => read<Session>("/v1/session");
export const signIn = (key: string) =>
  read<Session>("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${key}` } });
export const signOut = () => ask("/v1/session", { method: "DELETE" });
export const getJob = (id: string) => read<Job>(at(id));
export const listJobs = async () => (await read<Page<Job>>("/v1/jobs?page_size=24")).data;
export const listSucceeded = (token: string | null) =>
  read<Page<Job>>(
    `/v1/jobs?status=succeeded&page_size=24${token === null ? "" : `&page_token=${encodeURIComponent(token)}`}`,
  );
export const cancelJob = (id: string) => read<Job>(`${at(id)}/cancel`, { method: "POST" });
export const getPicture = async (id: string) => (await ask(`${at(id)}/image`)).blob();

/** Where a file is streamed from this server, for pages and for downloads with a name of one's own. */
export const inlineUrl = (output: Output) => `${output.url}?inline=true`;
export const trackOf = (piece: Piece): Track => ({
  midi: inlineUrl(piece.midi),
  sounds: piece.audio.map((output) => ({ url: inlineUrl(output), type: output.content_type })),
});
export const getFile = async (url: string) => (await ask(url)).blob();

/** The open stream of a job's events after `lastEventId`; null when nothing will come any more. */
export async function openEvents(
  id: string,
  lastEventId: string | null,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | null> {
  const headers: Record<string, string> = lastEventId === null ? {} : { "Last-Event-ID": lastEventId };
  const answer = await ask(`${at(id)}/events`, { headers, signal });
  return answer.status === 204 ? null : answer.body;
}

export interface Submission {
  picture: Blob | null;
  options: JobOptions;
  /** The same for each try at the same submission, so that it is done once. */
  idempotencyKey: string;
}

/** By XMLHttpRequest, since fetch can't say how much of an upload has left. `onSent` gets shares from 0 to 1. */
export function submit(submission: Submission, onSent: (share: number) => void): Promise<Job> {
  const form = new FormData();
  if (submission.picture) form.append("image", submission.picture, "picture");
  form.append("options", JSON.stringify(submission.options));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/jobs");
    request.setRequestHeader("Idempotency-Key", submission.idempotencyKey);
    for (const [name, value] of Object.entries(PROOF)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onload = () => {
      if (request.status === 202 || request.status === 200) resolve(JSON.parse(request.responseText) as Job);
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    };
    request.send(form);
  });
}

/** crypto.randomUUID is there on HTTPS and localhost only. */
export function newIdempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
