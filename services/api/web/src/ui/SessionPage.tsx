import { useEffect, useState } from "preact/hooks";
import { isOpen, type ListeningSession } from "../domain/listening";
import { sentenceOf } from "../domain/sentences";
import { moment } from "../domain/times";
import { closeSession, deleteSession, getSession } from "../io/ratings";
import { linkOf } from "../io/store";
import { Alert } from "./Alert";
import { CopyLink } from "./CopyLink";
import type { Go } from "./Link";
import { Report } from "./Report";
import { useTitle } from "./useTitle";

interface Props {
  id: string;
  go: Go;
  onError: (error: unknown) => void;
}

/** A listening session of the owner's: its link, who has come how far, and what came of it. */
export function SessionPage({ id, go, onError }: Props) {
  const [session, setSession] = useState<ListeningSession | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [asked, setAsked] = useState(false);
  const [tries, setTries] = useState(0);

  useTitle(session?.title ?? null);
  // tries is what looks again
  useEffect(() => {
    let gone = false;
    getSession(id)
      .then((found) => {
        if (gone) return;
        setSession(found);
        setError(null);
      })
      .catch((problem) => {
        if (gone) return;
        setError(problem);
        onError(problem);
      });
    return () => {
      gone = true;
    };
  }, [id, tries, onError]);

  const act = async (action: () => Promise<void>) => {
    setError(null);
    try {
      await action();
    } catch (problem) {
      setError(problem);
      onError(problem);
    }
  };
  const remove = () =>
    act(async () => {
      await deleteSession(id);
      go("/listening");
    });
  const close = () => act(async () => setSession(await closeSession(id)));
  if (session === null) {
    if (error === null) return <p aria-busy="true">One moment…</p>;
    return <Alert>{sentenceOf(error)}</Alert>;
  }
  const open = isOpen(session, new Date());
  return (
    <article class="session" aria-labelledby="session-title">
      <div class="lead">
        <h1 id="session-title">{session.title}</h1>
        <p>
          {session.jobs.length} {session.jobs.length === 1 ? "piece" : "pieces"}
          {session.closes_at ? `, ${open ? "open until" : "closed on"} ${moment(session.closes_at)}` : ""}
        </p>
      </div>
      {error !== null && <Alert>{sentenceOf(error)}</Alert>}
      {open && <LinkCard id={id} />}
      <Listeners session={session} onLook={() => setTries(tries + 1)} />
      <Report key={tries} session={id} onError={onError} />
      <div class="row">
        {asked ? (
          <>
            <span>Its ratings will go, too.</span>
            <button type="button" class="primary" onClick={() => void remove()}>
              Delete it
            </button>
            <button type="button" onClick={() => setAsked(false)}>
              Keep it
            </button>
          </>
        ) : (
          <>
            {open && (
              <button type="button" class="quiet" onClick={() => void close()}>
                Close this session
              </button>
            )}
            <button type="button" class="quiet" onClick={() => setAsked(true)}>
              Delete it with its ratings
            </button>
          </>
        )}
      </div>
    </article>
  );
}

function LinkCard({ id }: { id: string }) {
  const path = linkOf(id);
  if (path === null) {
    return (
      <p class="note">
        The link was shown once, where this session was made, and the server does not keep it. If it is lost,
        make another session of the same pieces.
      </p>
    );
  }
  const link = new URL(path, location.origin).href;
  return (
    <section class="card" aria-label="The link">
      <label class="field">
        <span>
          Send this link to your listeners <small>whoever has it can listen; this browser remembers it</small>
        </span>
        <input type="text" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <div class="row">
        <CopyLink link={link} otherwise="Copy it from the field." />
      </div>
    </section>
  );
}

function Listeners({ session, onLook }: { session: ListeningSession; onLook: () => void }) {
  return (
    <section class="listeners" aria-labelledby="listeners-title">
      <div class="row">
        <h2 id="listeners-title">Listeners</h2>
        <button type="button" class="quiet" onClick={onLook}>
          Look again
        </button>
      </div>
      {session.listeners.length === 0 ? (
        <p class="hint">Nobody has listened yet.</p>
      ) : (
        <ul>
          {session.listeners.map(({ listener, rated, of }) => (
            <li key={listener}>
              <span>{listener}</span>
              <progress aria-label={`Pieces that ${listener} rated`} value={rated} max={Math.max(1, of)} />
              <span class="time">
                {rated} of {of}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
