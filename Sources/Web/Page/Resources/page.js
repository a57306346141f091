// Draws the page anew when the node says that something came. Without it the page is read again by hand.
"use strict";
const main = document.querySelector("main[data-live]");
if (main) {
  const live = document.querySelector("#live");
  let due = false, busy = false;
  const draw = async () => {
    if (busy) { due = true; return; }
    busy = true;
    try {
      const answer = await fetch("/page/main", { credentials: "same-origin" });
      if (answer.status === 401) { location.assign("/session"); return; }
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      // What a person is reading by keyboard stays where it is.
      const focused = document.activeElement && main.contains(document.activeElement) ? document.activeElement.id : "";
      main.replaceChildren(...next.body.childNodes);
      if (focused) document.getElementById(focused)?.focus();
    } catch { /* the next event tries again */ }
    // At most once a second, however much comes.
    setTimeout(() => { busy = false; if (due) { due = false; draw(); } }, 1000);
  };
  const source = new EventSource("/page/events");
  source.addEventListener("change", draw);
  source.addEventListener("reset", draw);
  source.onopen = () => { live.textContent = "updates itself"; draw(); };
  source.onerror = () => { live.textContent = "not connected to the node; trying again"; };
  // Peers come and go without an entry being written.
  setInterval(draw, 15000);
}
