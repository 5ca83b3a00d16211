/** The switch between languages keeps the place on the page, and what was searched or chosen. */
export function keepsPlace(link: HTMLAnchorElement): void {
  link.addEventListener("click", () => {
    link.search = location.search;
    link.hash = location.hash;
  });
}
