"use strict";
(function () {
  const bar = document.querySelector(".filter");
  const fixtures = Array.from(document.querySelectorAll(".fixture"));
  const search = document.getElementById("search");
  const chips = Array.from(bar.querySelectorAll("button[data-verdict]"));
  const selects = Array.from(bar.querySelectorAll("select"));
  const count = bar.querySelector(".count");
  const none = document.querySelector(".none");
  const texts = new Map(fixtures.map((f) => [f, f.dataset.text.toLowerCase()]));

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = chips.filter((c) => c.getAttribute("aria-pressed") === "true").map((c) => c.dataset.verdict);
    let shown = 0;
    for (const f of fixtures) {
      const fits = (verdicts.length === 0 || verdicts.includes(f.dataset.verdict)) &&
        words.every((w) => texts.get(f).includes(w)) &&
        selects.every((s) => s.value === "" || f.dataset[s.name].split(" ").includes(s.value));
      f.hidden = !fits;
      if (fits) shown++;
    }
    count.textContent = shown + " of " + fixtures.length + " shown";
    none.hidden = shown > 0;
  }
  function reset() {
    search.value = "";
    for (const s of selects) s.value = "";
    for (const c of chips) c.setAttribute("aria-pressed", "false");
    apply();
  }
  search.addEventListener("input", apply);
  for (const s of selects) s.addEventListener("change", apply);
  for (const c of chips) {
    c.addEventListener("click", () => {
      c.setAttribute("aria-pressed", String(c.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  }
  document.getElementById("reset").addEventListener("click", reset);
  document.getElementById("fold").addEventListener("click", (e) => {
    const open = e.target.dataset.open !== "true";
    for (const f of fixtures) if (!f.hidden) f.open = open;
    e.target.dataset.open = String(open);
    e.target.textContent = open ? "Close all" : "Open all";
  });
  document.addEventListener("click", (e) => {
    const copy = e.target.closest("button[data-copy]");
    if (copy) {
      const text = copy.parentElement.querySelector("code").textContent;
      const done = () => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy"; }, 1500); };
      if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(done, () => {});
      else {
        const range = document.createRange();
        range.selectNodeContents(copy.parentElement.querySelector("code"));
        const selection = getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        if (document.execCommand("copy")) done();
      }
      return;
    }
    const narrow = e.target.closest("button[data-narrow]");
    if (narrow) {
      const select = bar.querySelector('select[name="' + narrow.dataset.narrow + '"]');
      select.value = narrow.dataset.value;
      apply();
      bar.scrollIntoView();
      select.focus();
    }
  });
  document.addEventListener("keydown", (e) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName);
    if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey) { e.preventDefault(); search.focus(); }
    if (e.key === "Escape" && e.target === search) reset();
  });
  function follow() {
    const f = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (f && f.classList.contains("fixture")) { if (f.hidden) reset(); f.open = true; f.scrollIntoView(); }
  }
  addEventListener("hashchange", follow);
  document.documentElement.classList.add("scripted");
  for (const b of document.querySelectorAll("[data-scripted]")) b.hidden = false;
  bar.hidden = false;
  apply();
  follow();
})();
