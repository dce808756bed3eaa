/** The API over HTTP. Every call throws ApiError, and nothing else, when it does not get what it asked for. */
import type { Capabilities, Job, JobOptions, Output, Session } from "../domain/job";
import { ApiError, unreachable } from "../domain/sentences";

/** Shows that a page of this server's asks: no other page can send it. The value is of no matter. */
const PROOF = { "X-Requested-With": "scenescore" };

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers: { ...PROOF, ...init.headers } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!answer.ok)
    throw problemOf(answer.status, await answer.text().catch(() => ""), answer.headers.get("Retry-After"));
  return answer;
}

function problemOf(status: number, text: string, retryAfter: string | null): ApiError {
  let problem: { code?: string; detail?: string } = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // a proxy's own page, perhaps
  }
  const detail = problem.detail ?? `The server answered with an error (${status}). Try again in a moment.`;
  return new ApiError(
    status,
    problem.code ?? "unknown",
    detail,
    retryAfter === null ? null : Number(retryAfter),
  );
}

async function read<Kind>(path: string, init?: RequestInit): Promise<Kind> {
  return (await ask(path, init)).json() as Promise<Kind>;
}

const at = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;

export const getCapabilities = () => read<Capabilities>("/v1/capabilities");
export const getSession = () => read<Session>("/v1/session");
export const signIn = (key: string) =>
  read<Session>("/v1/session", { method: "POST", headers: { Authorization: `Bearer ${key}` } });
export const signOut = () => ask("/v1/session", { method: "DELETE" });
export const getJob = (id: string) => read<Job>(at(id));
export const listJobs = async () => (await read<{ data: Job[] }>("/v1/jobs?page_size=24")).data;
export const cancelJob = (id: string) => read<Job>(`${at(id)}/cancel`, { method: "POST" });
export const getPicture = async (id: string) => (await ask(`${at(id)}/image`)).blob();

/** Where a file is streamed from this server, for pages and for downloads with a name of one's own. */
export const inlineUrl = (output: Output) => `${output.url}?inline=true`;
export const getOutput = async (output: Output) => (await ask(inlineUrl(output))).blob();

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
