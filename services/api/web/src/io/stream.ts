/** Follows a job until it has ended, over lost connections and reloads. */
import { EventStreamParser } from "../domain/eventStream";
import { beginFollowing, type Following, follow } from "../domain/following";
import { isEnded, type Job } from "../domain/job";
import { ApiError } from "../domain/sentences";
import { openEvents } from "./api";
import { lastEventOf, rememberEvent } from "./store";

/** The server says something every 15 s; after so much silence the connection is dead. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

export interface Listener {
  onChange(before: Following, after: Following): void;
  /** Whether events come in at present. */
  onConnection(live: boolean): void;
  /** The job can't be followed at all: it is gone, or somebody else's. */
  onError(error: ApiError): void;
}

/** Returns what ends it. */
export function followJob(job: Job, listener: Listener): () => void {
  const ending = new AbortController();
  void run(job, listener, ending.signal);
  return () => ending.abort();
}

async function run(job: Job, listener: Listener, ended: AbortSignal): Promise<void> {
  let state = beginFollowing(job, lastEventOf(job.id));
  const tell = (next: Following) => {
    const before = state;
    state = next;
    if (state.lastEventId !== null) rememberEvent(job.id, state.lastEventId);
    listener.onChange(before, state);
  };
  let failures = 0;
  while (!ended.aborted && !isEnded(state.status)) {
    try {
      const more = await listen(
        job.id,
        () => state,
        tell,
        () => {
          failures = 0;
          listener.onConnection(true);
        },
        ended,
      );
      if (!more) {
        // ended while nobody listened: the job itself says how
        tell({ ...state, status: "succeeded" });
        return;
      }
    } catch (error) {
      if (ended.aborted) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 404)) {
        listener.onError(error);
        return;
      }
    }
    if (ended.aborted || isEnded(state.status)) return;
    failures += 1;
    if (failures > 1) listener.onConnection(false);
    await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), ended);
  }
}

/** False when the server says that nothing will come any more. */
async function listen(
  id: string,
  state: () => Following,
  tell: (next: Following) => void,
  onOpen: () => void,
  ended: AbortSignal,
): Promise<boolean> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const stream = await openEvents(id, state().lastEventId, AbortSignal.any([ended, silence.signal]));
    if (stream === null) return false;
    onOpen();
    const parser = new EventStreamParser();
    const reader = stream
      .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
      .getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      for (const message of parser.push(value)) tell(follow(state(), message));
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Ends early when the browser is online again. */
function pause(milliseconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      ended.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    ended.addEventListener("abort", done);
  });
}
