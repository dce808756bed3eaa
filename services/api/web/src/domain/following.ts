/** What the page knows of a job that is on its way, event by event. */
import type { Message } from "./eventStream";
import { isEnded, type Job, type Status, type Step } from "./job";

export interface Following {
  status: Status;
  step: Step | null;
  progress: number;
  queuePosition: number | null;
  /** Of the last change seen: where the stream goes on after a reload. */
  lastEventId: string | null;
}

export function beginFollowing(job: Job, lastEventId: string | null): Following {
  const { status, step, progress, queue_position } = job;
  return { status, step, progress, queuePosition: queue_position, lastEventId };
}

interface Change {
  status: Status;
  step: Step | null;
  progress: number;
}

/** The state after a message. One that can't be read changes nothing: the next one says it all again. */
export function follow(before: Following, message: Message): Following {
  const data = parsed(message.data);
  if (data === null) return before;
  if (message.event === "queue") {
    return { ...before, queuePosition: (data as { queue_position: number | null }).queue_position };
  }
  if (message.event !== "message") return before;
  const { status, step, progress } = data as Change;
  const waits = status === before.status && step === before.step && progress === before.progress;
  return {
    status,
    step,
    progress,
    queuePosition: waits ? before.queuePosition : null,
    lastEventId: message.id ?? before.lastEventId,
  };
}

/** Whether the job's other facts (emotions, music, files) may have changed between the two. */
export function hasNews(before: Following, after: Following): boolean {
  return before.status !== after.status || before.step !== after.step;
}

export type Stage = "done" | "now" | "next";

export interface StageView {
  step: Step;
  name: string;
  stage: Stage;
}

const NAMES: Record<Step, string> = { classify: "Looking", compose: "Composing", render: "Recording" };
const STEPS: Step[] = ["classify", "compose", "render"];

/** The job's steps; a job without a picture is not looked at. */
export function stages(state: Following, hasPicture: boolean): StageView[] {
  const steps = hasPicture ? STEPS : STEPS.slice(1);
  const now = state.step === null ? -1 : steps.indexOf(state.step);
  return steps.map((step, index) => {
    const stage = isEnded(state.status) || index < now ? "done" : index === now ? "now" : "next";
    return { step, name: NAMES[step], stage };
  });
}

const DOING: Record<Step, string> = {
  classify: "Looking at the picture",
  compose: "Composing",
  render: "The music is there; recording it",
};

/** One sentence of where the job is, for the page and for screen readers. */
export function sentence(state: Following): string {
  switch (state.status) {
    case "succeeded":
      return "Your music is ready.";
    case "failed":
      return "This job failed.";
    case "canceled":
      return "This job was stopped.";
    case "expired":
      return "This job's files have gone: their time was over.";
    default:
      return waiting(state);
  }
}

function waiting(state: Following): string {
  const { queuePosition: place, step } = state;
  if (place !== null && place >= 1000) return "Waiting: a thousand jobs or more come first.";
  if (place !== null && place > 0)
    return `Waiting: ${place} ${place === 1 ? "job comes" : "jobs come"} first.`;
  if (state.status === "queued") return "Waiting for a worker; yours is next.";
  return `${step === null ? "Working" : DOING[step]}…`;
}

function parsed(data: string): unknown {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
