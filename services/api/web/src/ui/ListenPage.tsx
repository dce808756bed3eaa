import { useEffect, useState } from "preact/hooks";
import { type Listening, nextUnrated, rated } from "../domain/listening";
import type { Grades } from "../domain/ratings";
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
  const [name, setName] = useState(() => listensAs(token));
  const [listening, setListening] = useState<Listening | null>(null);
  // null: the end
  const [index, setIndex] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);

  // tries is what starts it again
  useEffect(() => {
    let gone = false;
    setError(null);
    getListening(token, name)
      .then((found) => {
        if (gone) return;
        setListening(found);
        setIndex(nextUnrated(found.items, -1));
      })
      .catch((problem) => !gone && setError(problem));
    return () => {
      gone = true;
    };
  }, [token, name, tries]);
  useTitle(listening?.title ?? null);

  const begin = (chosen: string) => {
    setListensAs(token, chosen);
    // what was loaded without a name has no items
    setListening(null);
    setName(chosen);
  };
  const go = (next: number | null) => {
    setIndex(next);
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
    if (listening === null) return <p aria-busy="true">One moment…</p>;
    if (name === null) return <ListenName listening={listening} onName={begin} />;
    const item = index === null ? undefined : listening.items[index];
    if (index === null || item === undefined) {
      return <ListenEnd listening={listening} name={name} onGo={go} />;
    }
    const save = async (grades: Grades) => {
      await rateItem(token, item.item, name, grades);
      const next = rated(listening, item.item, grades);
      setListening(next);
      go(nextUnrated(next.items, index));
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
                setListening(null);
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
