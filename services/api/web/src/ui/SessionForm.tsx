import { useState } from "preact/hooks";
import { type Job, strongest } from "../domain/job";
import { sentenceOf } from "../domain/sentences";
import { moment } from "../domain/times";
import { listSucceeded } from "../io/api";
import type { NewSession } from "../io/ratings";
import { Alert } from "./Alert";
import { accent } from "./accent";
import { useList } from "./useList";

interface Props {
  onMake: (session: NewSession) => Promise<void>;
  onClose: () => void;
  onError: (error: unknown) => void;
}

const today = () => new Date().toLocaleDateString(undefined, { dateStyle: "long" });

/** A session made of what has been composed. */
export function SessionForm({ onMake, onClose, onError }: Props) {
  const { found: jobs, more, error } = useList(listSucceeded, onError);
  const [title, setTitle] = useState(() => `Listening, ${today()}`);
  const [closesAt, setClosesAt] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [complaint, setComplaint] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const send = async (event: Event) => {
    event.preventDefault();
    const wrong = complaintOf(title, chosen.size, closesAt);
    setComplaint(wrong);
    if (wrong !== null) return;
    setBusy(true);
    try {
      await onMake({
        title: title.trim(),
        jobs: (jobs ?? []).map((job) => job.id).filter((id) => chosen.has(id)),
        closes_at: closesAt === "" ? null : new Date(closesAt).toISOString(),
      });
    } catch (problem) {
      setBusy(false);
      setComplaint(sentenceOf(problem));
      onError(problem);
    }
  };
  const choose = (ids: string[], on: boolean) => {
    setComplaint(null);
    setChosen((before) => new Set([...[...before].filter((id) => !ids.includes(id)), ...(on ? ids : [])]));
  };
  const all = jobs !== null && jobs.length > 0 && jobs.every((job) => chosen.has(job.id));
  return (
    <form class="card" noValidate aria-label="A new session" onSubmit={(event) => void send(event)}>
      <div class="grid">
        <label class="field">
          <span>
            Title <small>listeners see it</small>
          </span>
          <input type="text" value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span>
            Open until <small>empty: until you delete it</small>
          </span>
          <input
            type="datetime-local"
            value={closesAt}
            onInput={(event) => setClosesAt(event.currentTarget.value)}
          />
        </label>
      </div>
      <fieldset class="choice">
        <legend>Pieces</legend>
        {jobs !== null && jobs.length > 1 && (
          <label class="check">
            <input
              type="checkbox"
              checked={all}
              onChange={(event) =>
                choose(
                  jobs.map((job) => job.id),
                  event.currentTarget.checked,
                )
              }
            />
            All that are shown
          </label>
        )}
        {error !== null && <Alert>{sentenceOf(error)}</Alert>}
        {jobs?.length === 0 && <p class="hint">Nothing has been composed yet: begin with a picture.</p>}
        <ul>
          {jobs?.map((job) => (
            <li key={job.id}>
              <Choice job={job} checked={chosen.has(job.id)} onChange={(on) => choose([job.id], on)} />
            </li>
          ))}
        </ul>
        {more && (
          <button type="button" class="quiet" onClick={more}>
            Show older ones
          </button>
        )}
      </fieldset>
      {complaint !== null && <Alert>{complaint}</Alert>}
      <div class="row">
        <button type="submit" class="primary" disabled={busy}>
          {chosen.size === 0 ? "Make the session" : `Make the session of ${chosen.size}`}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function complaintOf(title: string, pieces: number, closesAt: string): string | null {
  if (title.trim() === "") return "Write a title first.";
  if (pieces === 0) return "Choose a piece, or several.";
  if (closesAt !== "" && new Date(closesAt) <= new Date())
    return "This time is over. Choose a later one, or none.";
  return null;
}

function Choice({ job, checked, onChange }: { job: Job; checked: boolean; onChange: (on: boolean) => void }) {
  const emotion = strongest(job.emotions);
  const at = moment(job.created_at);
  return (
    <label style={accent(emotion)}>
      {job.links.image ? (
        <img src={job.links.image} alt="" loading="lazy" />
      ) : (
        <span class="blank" aria-hidden="true" />
      )}
      <span class="check">
        <input
          type="checkbox"
          checked={checked}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        <span class="caption">
          <strong>{emotion ?? "mixed"}</strong>
          <small>{at}</small>
        </span>
      </span>
    </label>
  );
}
