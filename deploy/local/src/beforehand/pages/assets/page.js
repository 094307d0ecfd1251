// Everything on these pages works without this file but three things: the page follows what arrives, j and k walk
// the list, and a mail's frame is as high as the mail.
"use strict";

const live = document.getElementById("live");
const items = () => [...document.querySelectorAll("#list .item")];

function follow() {
  const source = new EventSource("/changes");
  let seen = null;
  source.addEventListener("message", (event) => {
    live.textContent = "live";
    live.classList.remove("lost");
    if (seen !== null && seen !== event.data) refresh();
    seen = event.data;
  });
  source.addEventListener("error", () => {
    live.textContent = "connection lost, trying again";
    live.classList.add("lost");
    seen = "lost";
  });
}

let refreshing = false;
let again = false;

async function refresh() {
  again = refreshing;
  if (refreshing) return;
  refreshing = true;
  try {
    const answer = await fetch(location.href);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focused = document.activeElement?.closest?.("#list .item")?.getAttribute("href");
    for (const id of ["list", "warning"]) {
      const old = document.getElementById(id);
      old.hidden = fresh.getElementById(id).hidden;
      old.replaceChildren(...fresh.getElementById(id).childNodes);
    }
    if (focused) items().find((item) => item.getAttribute("href") === focused)?.focus({ preventScroll: true });
    const pane = document.getElementById("pane");
    const next = fresh.getElementById("pane");
    // Whoever is reading keeps open what is open: the pane changes only when it shows something new.
    if (pane.dataset.version !== next.dataset.version) {
      pane.replaceChildren(...next.childNodes);
      pane.dataset.version = next.dataset.version;
      document.body.className = fresh.body.className;
      document.title = fresh.title;
      fitFrames();
    }
  } catch {
    // The server is away; the stream of changes says so, and brings us here again.
  }
  refreshing = false;
  if (again) refresh();
}

function fitFrames() {
  for (const frame of document.querySelectorAll("iframe")) {
    const fit = () => {
      const root = frame.contentDocument?.documentElement;
      if (!root) return;
      frame.style.height = "0"; // a document is never lower than its frame
      frame.style.height = `${root.scrollHeight}px`;
    };
    frame.addEventListener("load", fit);
    fit();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !["j", "k"].includes(event.key)) return;
  const all = items();
  const at = all.findIndex((item) => item === document.activeElement);
  const current = all.findIndex((item) => item.hasAttribute("aria-current"));
  const next = at >= 0 ? at + (event.key === "j" ? 1 : -1) : Math.max(current, 0);
  all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
});

addEventListener("resize", fitFrames);
fitFrames();
follow();
