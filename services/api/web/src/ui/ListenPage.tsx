import { useEffect, useState } from "preact/hooks";
import { afterSaving, nextUnrated, type Walk } from "../domain/listening";
import { type Grades, keptName } from "../domain/ratings";
import { listeningSentence } from "../domain/sentences";
import { getListening, rateItem } from "../io/ratings";
import { listensAs, setListensAs } from "../io/store";
import { Alert } from "./Alert";
import { Brand } from "./Brand";
import { ListenEnd } from "./ListenEnd";
import { ListenItem } from "./ListenItem";
import { ListenName } from "./ListenName";
import { useTitle } from "./useTitle";

/** Behind a listening session's link: picture after picture with its music, blind, for somebody without a key. */
export function ListenPage({ token }: { token: string }) {
  const [name, setName] = useState(() => keptName(listensAs(token)));
  const [walk, setWalk] = useState<Walk | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);

  // tries is what starts it again
  useEffect(() => {
    let gone = false;
    setError(null);
    getListening(token, name)
      .then((listening) => {
        if (gone) return;
        // only now: a name that the server refuses would be refused again at each visit
        if (name !== null) setListensAs(token, name);
        setWalk({ name, listening, index: nextUnrated(listening.items, -1) });
      })
      .catch((problem) => !gone && setError(problem));
    return () => {
      gone = true;
    };
  }, [token, name, tries]);
  useTitle(walk?.listening.title ?? null);

  const begin = (chosen: string) => {
    // what was loaded without a name has no items
    setWalk(null);
    setName(chosen);
  };
  const go = (index: number | null) => {
    setWalk((before) => before && { ...before, index });
    scrollTo({ top: 0 });
  };
  const content = () => {
    if (error !== null) {
      return (
        <section class="card narrow" aria-label="Listening">
          <Alert>{listeningSentence(error)}</Alert>
          <button type="button" onClick={() => setTries(tries + 1)}>
            Try again
          </button>
        </section>
      );
    }
    if (walk === null) return <p aria-busy="true">One moment…</p>;
    const { listening, index } = walk;
    if (name === null) return <ListenName listening={listening} onName={begin} />;
    const item = index === null ? undefined : listening.items[index];
    if (index === null || item === undefined) {
      return <ListenEnd listening={listening} name={name} onGo={go} />;
    }
    const save = async (grades: Grades) => {
      await rateItem(token, item.item, name, grades);
      setWalk((before) => afterSaving(before, name, item.item, grades));
      scrollTo({ top: 0 });
    };
    return (
      <ListenItem
        key={item.item}
        token={token}
        item={item}
        index={index}
        listening={listening}
        onSave={save}
        onGo={go}
      />
    );
  };
  return (
    <>
      <header class="top">
        <span class="wordmark">
          <Brand />
        </span>
        {name !== null && (
          <span class="listener">
            Listening as <strong>{name}</strong>{" "}
            <button
              type="button"
              class="link"
              onClick={() => {
                setName(null);
                setWalk(null);
              }}
            >
              Not you?
            </button>
          </span>
        )}
      </header>
      <main id="main">{content()}</main>
      <footer>Only your name here and your grades are kept, for whoever sent you the link.</footer>
    </>
  );
}
