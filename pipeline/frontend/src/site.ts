/** Small helps on every page, which works without them: copy buttons, pictures that zoom, tables that filter and sort. */

import {h} from "./dom.ts";
import {cite, embedded} from "./cite.ts";
import {keepsPlace} from "./languages.ts";
import {tables} from "./tables.ts";
import {t} from "./texts.ts";

// -- copy -------------------------------------------------------------------------------------------------------------

function copies(button: HTMLButtonElement): void {
  button.hidden = false;
  const label = button.textContent;
  const status = h("span", {role: "status", class: "unseen"});
  button.after(status);
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(button.dataset["copy"] ?? "").then(() => report("copied"), () => report("copyFailed"));
  });
  const report = (what: "copied" | "copyFailed"): void => {
    status.textContent = button.textContent = t(what);
    setTimeout(() => {
      button.textContent = label;
      status.textContent = "";
    }, 2000);
  };
}

// -- zoom -------------------------------------------------------------------------------------------------------------

const STEP = 1.4;
const DEEPEST = 12;

/** The picture's view box is what moves; nothing else of the picture changes. */
function zooms(figure: HTMLElement): void {
  const picture = figure.querySelector<SVGSVGElement>("svg[viewBox]");
  if (!picture) return;
  const whole = picture.viewBox.baseVal;
  const full = {x: whole.x, y: whole.y, width: whole.width, height: whole.height};
  let box = {...full};

  const set = (x: number, y: number, width: number): void => {
    const wide = Math.min(full.width, Math.max(full.width / DEEPEST, width));
    const high = (wide / full.width) * full.height;
    box = {x: between(x, full.x, full.x + full.width - wide), y: between(y, full.y, full.y + full.height - high), width: wide, height: high};
    picture.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
    picture.classList.toggle("zoomed", wide < full.width);
    smaller.disabled = reset.disabled = wide >= full.width;
    larger.disabled = wide <= full.width / DEEPEST;
  };
  const zoom = (by: number, atX = box.x + box.width / 2, atY = box.y + box.height / 2): void => {
    const wide = Math.min(full.width, Math.max(full.width / DEEPEST, box.width / by));
    const ratio = wide / box.width;
    set(atX - (atX - box.x) * ratio, atY - (atY - box.y) * ratio, wide);
  };
  const move = (x: number, y: number): void => set(box.x + x * box.width, box.y + y * box.height, box.width);

  const larger = h("button", {type: "button", "aria-label": t("zoomIn"), title: t("zoomIn"), click: () => zoom(STEP)}, "+");
  const smaller = h("button", {type: "button", "aria-label": t("zoomOut"), title: t("zoomOut"), click: () => zoom(1 / STEP)}, "−");
  const reset = h("button", {type: "button", "aria-label": t("zoomReset"), title: t("zoomReset"), click: () => set(full.x, full.y, full.width)}, "⤢");
  const bar = h("div", {class: "zoom-bar", role: "group", "aria-label": t("zoomHelp"), title: t("zoomHelp")}, larger, smaller, reset);
  picture.before(bar);
  set(full.x, full.y, full.width);

  const keys: Record<string, () => void> = {
    "+": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": () => set(full.x, full.y, full.width),
    ArrowLeft: () => move(-0.15, 0), ArrowRight: () => move(0.15, 0), ArrowUp: () => move(0, -0.15), ArrowDown: () => move(0, 0.15),
  };
  figure.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!act || (event.key.startsWith("Arrow") && box.width >= full.width)) return;
    event.preventDefault();
    act();
  });
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !figure.contains(document.activeElement)) return; // a page that scrolls past is left alone
    event.preventDefault();
    zoom(event.deltaY < 0 ? STEP : 1 / STEP, ...spot(event));
  }, {passive: false});

  const spot = (event: MouseEvent): [number, number] => {
    const matrix = picture.getScreenCTM();
    const point = matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()) : {x: box.x, y: box.y};
    return [point.x, point.y];
  };
  let held: [number, number] | undefined;
  let dragged = false;
  figure.tabIndex = -1; // a click brings the keys to the picture; with the keyboard one comes by its buttons
  picture.addEventListener("pointerdown", (event) => {
    if (!figure.contains(document.activeElement)) figure.focus({preventScroll: true});
    if (box.width < full.width && event.button === 0) [held, dragged] = [spot(event), false];
  });
  picture.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = spot(event);
    if (!dragged && Math.hypot(x - held[0], y - held[1]) < box.width / 200) return;
    if (!dragged) picture.setPointerCapture(event.pointerId);
    dragged = true;
    set(box.x + held[0] - x, box.y + held[1] - y, box.width);
  });
  const release = (): void => (held = undefined, undefined);
  picture.addEventListener("pointerup", release);
  picture.addEventListener("pointercancel", release);
  picture.addEventListener("dragstart", (event) => event.preventDefault()); // a link under the pointer is not carried away
  picture.addEventListener("click", (event) => {
    if (dragged) event.preventDefault();
    dragged = false;
  }, {capture: true});
}

function between(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

embedded();
document.querySelectorAll<HTMLElement>("section.as-data").forEach(cite); // before the copy buttons: it makes some
document.querySelectorAll<HTMLAnchorElement>(".languages a").forEach(keepsPlace);
document.querySelectorAll<HTMLButtonElement>("button[data-copy]").forEach(copies);
document.querySelectorAll<HTMLElement>("[data-zoom]").forEach(zooms);
document.querySelectorAll<HTMLTableElement>("table[data-filter]").forEach(tables);
