import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../domain/job";
import {
  type Draft,
  gradesOf,
  isChanged,
  LONGEST_NAME,
  nameComplaint,
  type Rating as Saved,
  UNRATED,
} from "../domain/ratings";
import { sentenceOf } from "../domain/sentences";
import { getRatings, rate, unrate } from "../io/ratings";
import { loadName, saveName } from "../io/store";
import { Alert } from "./Alert";
import { GradeFields } from "./GradeFields";

interface Props {
  job: Job;
  /** The name of the piece's MIDI. */
  output: string;
  onError: (error: unknown) => void;
}

/** What somebody says of a piece: once for each name, to be changed at any time. */
export function Rating({ job, output, onError }: Props) {
  const [name, setName] = useState(loadName);
  // as the name was when it was left: not each letter is looked up
  const [entered, setEntered] = useState(name);
  const [saved, setSaved] = useState<Saved | null>(null);
  const [changed, setChanged] = useState<Draft | null>(null);
  const [complaint, setComplaint] = useState<string | null>(null);
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  // a look that began before what it looks for was saved or removed tells nothing
  const looks = useRef(0);
  const hasPicture = job.input.image !== null;
  const listener = name.trim();

  useEffect(() => {
    looks.current += 1;
    const look = looks.current;
    setSaved(null);
    if (nameComplaint(entered) !== null) return;
    getRatings(job.id, entered.trim())
      .then(
        (found) =>
          look === looks.current &&
          setSaved(found.find((rating) => rating.output === output && rating.session_id === null) ?? null),
      )
      // looked up for convenience: what is sent says what is wrong
      .catch(() => undefined);
    return () => {
      looks.current += 1;
    };
  }, [job.id, output, entered]);

  const act = async (action: () => Promise<void>) => {
    setBusy(true);
    setComplaint(null);
    setTold("");
    try {
      await action();
      looks.current += 1;
    } catch (problem) {
      setComplaint(sentenceOf(problem));
      onError(problem);
    } finally {
      setBusy(false);
    }
  };
  const draft = changed ?? saved ?? UNRATED;
  const send = (event: Event) => {
    event.preventDefault();
    const grades = gradesOf(draft, hasPicture);
    const wrong = typeof grades === "string" ? grades : nameComplaint(listener);
    if (typeof grades === "string" || wrong !== null) {
      setComplaint(wrong);
      return;
    }
    void act(async () => {
      setSaved(await rate(job.id, listener, output, grades));
      saveName(listener);
      setChanged(null);
      setTold("Saved. You can change it at any time.");
    });
  };
  const remove = (rating: Saved) =>
    act(async () => {
      await unrate(job.id, rating.listener, output);
      setSaved(null);
      setChanged(null);
      setTold("Your rating is gone.");
    });
  return (
    <section class="rating card" aria-labelledby="rating-title">
      <h2 id="rating-title">Rate it</h2>
      <form noValidate onSubmit={send}>
        <GradeFields
          draft={draft}
          hasPicture={hasPicture}
          onDraft={(next) => {
            setChanged(next);
            setComplaint(null);
            setTold("");
          }}
        />
        <div class="row">
          <label class="name">
            <span>Your name</span>
            <input
              type="text"
              autocomplete="nickname"
              maxLength={LONGEST_NAME}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
              onChange={() => setEntered(name)}
            />
          </label>
          <button
            type="submit"
            class="primary"
            disabled={busy || (saved !== null && !isChanged(draft, saved))}
          >
            {saved === null ? "Save the rating" : "Change the rating"}
          </button>
          {saved !== null && (
            <button type="button" class="link" disabled={busy} onClick={() => void remove(saved)}>
              Remove it
            </button>
          )}
        </div>
        {complaint !== null && <Alert>{complaint}</Alert>}
        <p class="hint" role="status">
          {told}
        </p>
      </form>
    </section>
  );
}
