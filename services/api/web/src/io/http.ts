/** Questions to this server. Each throws ApiError, and nothing else, when it does not get what it asked for. */
import { ApiError, unreachable } from "../domain/sentences";

/** Of a list. */
export interface Page<Kind> {
  data: Kind[];
  next_page_token: string | null;
}

/** Shows that a page of this server's asks: no other page can send it. The value is of no matter. */
export const PROOF = { "X-Requested-With": "scenescore" };

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
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

export function problemOf(status: number, text: string, retryAfter: string | null): ApiError {
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

export async function read<Kind>(path: string, init?: RequestInit): Promise<Kind> {
  return (await ask(path, init)).json() as Promise<Kind>;
}

/** As `read`, with a body that is sent as JSON. */
export function send<Kind>(method: "POST" | "PUT", path: string, body: unknown): Promise<Kind> {
  return read(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
