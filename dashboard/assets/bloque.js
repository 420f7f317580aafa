// Draws the HTML that Python made, and tells Python which link was followed.
function sortBy(button) {
  const heading = button.closest("th");
  const table = heading.closest("table");
  const body = table.tBodies[0];
  const column = heading.cellIndex;
  const up = heading.getAttribute("aria-sort") === "descending";
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = (row) => {
    const cell = row.cells[column];
    return "v" in cell.dataset ? cell.dataset.v : cell.textContent.trim();
  };
  const compare = (one, other) => {
    if (one === "" || other === "") return one === "" ? (other === "" ? 0 : 1) : -1;
    const numbers = [Number(one), Number(other)];
    const order = numbers.some(Number.isNaN)
      ? one.localeCompare(other, "es")
      : numbers[0] - numbers[1];
    return up ? order : -order;
  };
  [...body.rows].sort((one, other) => compare(value(one), value(other)))
    .forEach((row) => body.append(row));
}

// Streamlit's own frame speaks English and marks no page at the address /.
function nameFrame() {
  document.querySelector('[data-testid="stTopNav"]')?.setAttribute("aria-label", "Páginas");
  const links = [...document.querySelectorAll('[data-testid="stTopNavLink"]')];
  const here = links.find((link) => link.pathname === location.pathname) ?? links[0];
  for (const link of links) link.toggleAttribute("aria-current", false);
  here?.setAttribute("aria-current", "page");
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".bloque");
  nameFrame();
  if (root.shown !== data.html) {
    // Whoever followed a link by keyboard goes on from there.
    const focused = root.contains(document.activeElement)
      ? document.activeElement.getAttribute("data-ir")
      : null;
    root.innerHTML = data.html;
    root.shown = data.html;
    if (focused) root.querySelector(`[data-ir='${CSS.escape(focused)}'], [data-ir="${CSS.escape(focused)}"]`)?.focus();
  }
  root.onclick = (event) => {
    const button = event.target.closest("button.orden");
    if (button) return sortBy(button);
    const link = event.target.closest("a[data-ir]");
    // With a key held down the browser opens the address itself, in another tab.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    setTriggerValue("ir", JSON.parse(link.dataset.ir));
  };
}
