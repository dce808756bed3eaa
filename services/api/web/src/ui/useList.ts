import { useEffect, useMemo, useState } from "preact/hooks";
import { joined, oneAtATime } from "../domain/lists";
import type { Page } from "../io/http";

/** A list of the API's, page after page: `more` fetches the next one, and is null where there is none. */
export function useList<Kind extends { id: string }>(
  list: (token: string | null) => Promise<Page<Kind>>,
  onError: (error: unknown) => void,
) {
  const [found, setFound] = useState<Kind[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = useMemo(
    () =>
      oneAtATime(async (token: string | null) => {
        setError(null);
        try {
          const page = await list(token);
          setFound((before) => joined(before, page.data));
          setNext(page.next_page_token);
        } catch (problem) {
          setError(problem);
          onError(problem);
        }
      }),
    [list, onError],
  );
  useEffect(() => void load(null), [load]);
  return { found, more: next === null ? null : () => void load(next), error };
}
