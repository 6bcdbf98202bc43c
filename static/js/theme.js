// Runs before the first paint: colours as this person chose them, else as the device says.
(() => {
  const root = document.documentElement;
  const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.bsTheme = read("theme") || (dark.matches ? "dark" : "light");
    const bar = document.querySelector("meta[name=theme-color]");
    if (bar) bar.content = root.dataset.bsTheme === "dark" ? "#101816" : "#f6f1e8";
  };
  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  // The typefaces are fetched when the first page has been shown, and from then on they are in the browser's store.
  const type = () => root.classList.add("type");
  const keep = () => { try { localStorage.setItem("type", "here"); } catch { /* private window */ } };
  if (read("type")) type();
  else addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => { type(); document.fonts.ready.then(keep); })));
})();
