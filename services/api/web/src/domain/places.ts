/** The page's addresses. */

export type Place =
  | { page: "home" }
  | { page: "job"; id: string }
  | { page: "listen"; token: string }
  | { page: "sessions" }
  | { page: "session"; id: string }
  /** Over everything that was rated. */
  | { page: "report" };

export function placeOf(path: string): Place {
  const [, first, second = ""] = path.split("/");
  if (first === "jobs" && second) return { page: "job", id: second };
  if (first === "listen" && second) return { page: "listen", token: second };
  if (first !== "listening") return { page: "home" };
  if (second === "all") return { page: "report" };
  return second ? { page: "session", id: second } : { page: "sessions" };
}
