import { useEffect } from "preact/hooks";

/** What the browser calls the page while this is shown; null: by the product's name alone. */
export function useTitle(title: string | null): void {
  useEffect(() => {
    document.title = title === null ? "Scenescore" : `${title} · Scenescore`;
    return () => {
      document.title = "Scenescore";
    };
  }, [title]);
}
