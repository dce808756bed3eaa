import type { ComponentChildren } from "preact";

/** A failure, told at once to screen readers too. */
export function Alert({ children }: { children: ComponentChildren }) {
  return (
    <p class="alert" role="alert">
      {children}
    </p>
  );
}
