import type { ComponentChildren } from "preact";

/** Shows another place of the page. */
export type Go = (path: string) => void;

interface Props {
  href: string;
  go: Go;
  class?: string;
  children: ComponentChildren;
}

/** A link within the page, which is not loaded anew, unless it is to open elsewhere. */
export function Link({ href, go, children, ...rest }: Props) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(href);
  };
  return (
    <a href={href} onClick={follow} {...rest}>
      {children}
    </a>
  );
}
