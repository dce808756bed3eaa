import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { countRatable, countRated, type Listening, type ListeningItem } from "../domain/listening";
import { type Draft, type Grades, gradesOf, isChanged, UNRATED } from "../domain/ratings";
import { listeningSentence } from "../domain/sentences";
import { itemPicture, itemTrack } from "../io/ratings";
import { Alert } from "./Alert";
import { GradeFields } from "./GradeFields";
import { Transport } from "./Transport";

interface Props {
  token: string;
  item: ListeningItem;
  index: number;
  listening: Listening;
  /** Saves and goes on. */
  onSave: (grades: Grades) => Promise<void>;
  /** With null to the end. */
  onGo: (index: number | null) => void;
}

/** A picture, its music, and two grades. */
export function ListenItem({ token, item, index, listening, onSave, onGo }: Props) {
  const [draft, setDraft] = useState<Draft>(item.rating ?? UNRATED);
  const [complaint, setComplaint] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const track = useMemo(
    () => itemTrack(token, item.item, item.has_sound),
    [token, item.item, item.has_sound],
  );
  // so that who can't see the page is told that another piece is there
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  const change = (changed: Draft) => {
    setComplaint(null);
    setDraft(changed);
  };
  const next = index + 1 < listening.items.length ? index + 1 : null;
  const send = async (event: Event) => {
    event.preventDefault();
    if (item.rating !== null && !isChanged(draft, item.rating)) return onGo(next);
    const grades = gradesOf(draft, item.has_picture);
    if (typeof grades === "string") return setComplaint(grades);
    setBusy(true);
    setComplaint(null);
    try {
      await onSave(grades);
    } catch (problem) {
      setComplaint(listeningSentence(problem));
      setBusy(false);
    }
  };
  // while grades are on their way nobody leaves: were they refused, it could no longer be told
  const turns = (
    <div class="row turns">
      <button type="button" disabled={busy || index === 0} onClick={() => onGo(index - 1)}>
        Back
      </button>
      {item.available && (
        <button type="submit" form="grades" class="primary" disabled={busy}>
          {item.rating === null ? "Save and go on" : "Go on"}
        </button>
      )}
      {(item.rating === null || !item.available) && (
        <button type="button" class="quiet" disabled={busy} onClick={() => onGo(next)}>
          Skip
        </button>
      )}
    </div>
  );
  return (
    <article class="listen" aria-labelledby="listen-title">
      <h1 id="listen-title" ref={heading} tabIndex={-1}>
        Piece {index + 1} of {listening.items.length}
      </h1>
      <progress
        aria-label="Pieces rated"
        value={countRated(listening.items)}
        max={Math.max(1, countRatable(listening.items))}
      />
      {item.available ? (
        <div class={item.has_picture ? "scene" : undefined}>
          {item.has_picture && <img class="picture" src={itemPicture(token, item.item)} alt="The scene" />}
          <div class="beside">
            <Transport track={track} ended drawn={false} sentence={listeningSentence} />
            <form id="grades" noValidate onSubmit={(event) => void send(event)}>
              <GradeFields draft={draft} hasPicture={item.has_picture} onDraft={change} />
            </form>
            {complaint !== null && <Alert>{complaint}</Alert>}
            {turns}
          </div>
        </div>
      ) : (
        <>
          <p class="note">This piece's files have gone. Go on to the next one.</p>
          {turns}
        </>
      )}
    </article>
  );
}
