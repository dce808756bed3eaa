import { useEffect, useState } from "preact/hooks";
import { type Entry, merged, type Remembered } from "../domain/history";
import { type Job, percent, strongest } from "../domain/job";
import { sentenceOf } from "../domain/sentences";
import { moment } from "../domain/times";
import { listJobs } from "../io/api";
import { accent } from "./accent";
import { type Go, Link } from "./Link";

interface Props {
  history: Remembered[];
  go: Go;
  onForget: () => void;
}

/** What this browser made, and on request everything that the key may see. */
export function Gallery({ history, go, onForget }: Props) {
  const [jobs, setJobs] = useState<Job[]>([]);
  const [all, setAll] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // whatever changes the history has changed a job, too
  useEffect(() => {
    let gone = false;
    listJobs()
      .then((found) => {
        if (gone) return;
        setJobs(found);
        setError(null);
      })
      .catch((problem) => !gone && setError(problem));
    return () => {
      gone = true;
    };
  }, [history]);

  const entries = merged(history, jobs);
  const others = entries.some((entry) => !entry.mine);
  const shown = all ? entries : entries.filter((entry) => entry.mine);
  return (
    <section id="history" class="history" aria-labelledby="history-title">
      <div class="row">
        <h2 id="history-title">History</h2>
        {others && (
          <label class="check">
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
            From other browsers and programs too
          </label>
        )}
      </div>
      {error !== null && <p class="note">{sentenceOf(error)}</p>}
      {shown.length === 0 ? (
        <p class="hint">What you compose in this browser will be listed here.</p>
      ) : (
        <ul>
          {shown.map((entry) => (
            <Card key={entry.id} entry={entry} go={go} />
          ))}
        </ul>
      )}
      {history.length > 0 && (
        <button type="button" class="quiet" onClick={onForget}>
          Forget them in this browser
        </button>
      )}
    </section>
  );
}

function Card({ entry, go }: { entry: Entry; go: Go }) {
  const emotion = strongest(entry.emotions);
  const picture = entry.thumbnail ?? entry.image;
  return (
    <li style={accent(emotion)}>
      <Link href={`/jobs/${entry.id}`} go={go}>
        {picture ? <img src={picture} alt="" loading="lazy" /> : <span class="blank" aria-hidden="true" />}
        <span class="caption">
          <strong>{captionOf(entry)}</strong>
          <small>
            {entry.status !== "succeeded" && entry.emotions ? `${entry.status} · ` : ""}
            {moment(entry.at)}
          </small>
        </span>
      </Link>
    </li>
  );
}

function captionOf({ emotions, status }: Entry): string {
  if (emotions === null) return status;
  const emotion = strongest(emotions);
  return emotion === null ? "mixed" : `${emotion} ${percent(emotions[emotion] ?? 0)}`;
}
