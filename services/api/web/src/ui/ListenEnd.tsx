import { useEffect, useRef } from "preact/hooks";
import { countRatable, countRated, type Listening, nextUnrated } from "../domain/listening";

interface Props {
  listening: Listening;
  name: string;
  onGo: (index: number) => void;
}

/** After the last piece: what was done, and what is left. */
export function ListenEnd({ listening, name, onGo }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const [done, all] = [countRated(listening.items), countRatable(listening.items)];
  const open = nextUnrated(listening.items, -1);
  return (
    <section class="card narrow" aria-labelledby="listen-title">
      <h1 id="listen-title" ref={heading} tabIndex={-1}>
        {open === null ? "Thank you" : "Not quite all"}
      </h1>
      <p>
        {open === null
          ? `You have rated all ${all} pieces as ${name}. You can close this page.`
          : `You have rated ${done} of ${all} pieces as ${name}.`}
      </p>
      <div class="row">
        {open !== null && (
          <button type="button" class="primary" onClick={() => onGo(open)}>
            Rate the others
          </button>
        )}
        {listening.items.length > 0 && (
          <button type="button" onClick={() => onGo(0)}>
            Look through them again
          </button>
        )}
      </div>
    </section>
  );
}
