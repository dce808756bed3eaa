import { useCallback, useEffect, useState } from "preact/hooks";
import { placeOf } from "../domain/places";
import { ListenPage } from "./ListenPage";
import { Site } from "./Site";

/** Whoever listens by a link sees nothing else of this server's: no key, no history, no way there. */
export function App() {
  const [place, setPlace] = useState(() => placeOf(location.pathname));
  useEffect(() => {
    const onMove = () => setPlace(placeOf(location.pathname));
    addEventListener("popstate", onMove);
    return () => removeEventListener("popstate", onMove);
  }, []);
  const go = useCallback((path: string) => {
    history.pushState(null, "", path);
    setPlace(placeOf(path));
    scrollTo({ top: 0 });
    // whoever reads by keyboard or ear goes on where what is new begins
    document.getElementById("main")?.focus({ preventScroll: true });
  }, []);
  if (place.page === "listen") return <ListenPage key={place.token} token={place.token} />;
  return <Site place={place} go={go} />;
}
