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
  const [title, told] =
    all === 0
      ? ["Nothing to hear", "This session's pieces have gone. Ask whoever sent you the link for another."]
      : open === null
        ? [
            "Thank you",
            `You have rated ${all === 1 ? "the piece" : `all ${all} pieces`} as ${name}. You can close this page.`,
          ]
        : ["Not quite all", `You have rated ${done} of ${all} pieces as ${name}.`];
  return (
    <section class="card narrow" aria-labelledby="listen-title">
      <h1 id="listen-title" ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p>{told}</p>
      <div class="row">
        {open !== null && (
          <button type="button" class="primary" onClick={() => onGo(open)}>
            Rate the others
          </button>
        )}
        {all > 0 && (
          <button type="button" onClick={() => onGo(0)}>
            Look through them again
          </button>
        )}
      </div>
    </section>
  );
}
