export function Brand() {
  return (
    <>
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
        <rect width="32" height="32" rx="8" class="mark-ground" />
        <path d="M6 22l6-8 4 5 3-4 7 7z" class="mark-hills" />
        <path d="M21 6v9.2a3 3 0 1 1-1.6-2.6V6z" class="mark-note" />
      </svg>{" "}
      Scenescore
    </>
  );
}
