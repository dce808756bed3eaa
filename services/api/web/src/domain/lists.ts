/** Lists that come page after page. */

/** What was found, and then what the next page holds; each once, since pages move while something is added. */
export function joined<Kind extends { id: string }>(
  found: readonly Kind[] | null,
  page: readonly Kind[],
): Kind[] {
  return [...new Map([...(found ?? []), ...page].map((each) => [each.id, each])).values()];
}

/** The action, which does nothing while it is at work already. */
export function oneAtATime<Given extends unknown[]>(
  action: (...given: Given) => Promise<void>,
): (...given: Given) => Promise<void> {
  let busy = false;
  return async (...given) => {
    if (busy) return;
    busy = true;
    try {
      await action(...given);
    } finally {
      busy = false;
    }
  };
}
