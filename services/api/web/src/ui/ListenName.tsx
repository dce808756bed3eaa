import { useState } from "preact/hooks";
import type { Listening } from "../domain/listening";
import { LONGEST_NAME, madeUpName, nameComplaint } from "../domain/ratings";
import { moment } from "../domain/times";
import { loadName } from "../io/store";
import { Alert } from "./Alert";

interface Props {
  listening: Listening;
  onName: (name: string) => void;
}

/** Before the first piece: what is asked, and by what name the grades shall go. */
export function ListenName({ listening, onName }: Props) {
  const [name, setName] = useState(loadName);
  const [complaint, setComplaint] = useState<string | null>(null);
  const begin = (event: Event) => {
    event.preventDefault();
    const wrong = nameComplaint(name);
    setComplaint(wrong);
    if (wrong === null) onName(name.trim());
  };
  const { title, total, closes_at } = listening;
  return (
    <section class="card narrow" aria-labelledby="listen-title">
      <h1 id="listen-title">{title}</h1>
      <p>
        You will hear {total === 1 ? "one piece" : `${total} pieces`} of music, most with the picture that it
        was composed for, and give each two grades: how good it is, and how well it fits. You can stop at any
        time and go on later in this browser.
      </p>
      {closes_at && <p class="hint">Open until {moment(closes_at)}.</p>}
      <form noValidate onSubmit={begin}>
        <label class="field">
          <span>
            Your name <small>a nickname will do</small>
          </span>
          <input
            type="text"
            autocomplete="nickname"
            maxLength={LONGEST_NAME}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        {complaint !== null && <Alert>{complaint}</Alert>}
        <div class="row">
          <button type="submit" class="primary">
            Begin
          </button>
          <button type="button" onClick={() => onName(madeUpName(crypto.getRandomValues(new Uint8Array(4))))}>
            Begin without a name
          </button>
        </div>
      </form>
    </section>
  );
}
