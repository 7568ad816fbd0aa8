// What is wrong with this page for someone who can't see it, or not well. Returns a list of sentences.
const complaints = [];
const complain = (what, element) =>
  complaints.push(element ? `${what}: ${element.outerHTML.slice(0, 160)}` : what);
const all = (selector) => [...document.querySelectorAll(selector)];

if (!document.documentElement.lang) complain("the page has no language");
if (!document.title.trim()) complain("the page has no title");
if (all("main").length !== 1) complain("the page has not one `main`");
if (all("h1").length !== 1) complain("the page has not one `h1`");

let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6")) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) complain("a heading skips a level", heading);
  level = next;
}

const ids = new Set();
for (const element of all("[id]")) {
  if (ids.has(element.id)) complain("an id stands there twice", element);
  ids.add(element.id);
}
for (const element of all("[aria-labelledby], [aria-describedby], label[for]")) {
  const names = ["aria-labelledby", "aria-describedby", "for"].map((name) => element.getAttribute(name) ?? "");
  for (const id of names.join(" ").split(/\s+/).filter(Boolean)) {
    if (!ids.has(id)) complain(`there is no \`${id}\``, element);
  }
}

for (const image of all("img:not([alt])")) complain("an image has no `alt`", image);
for (const element of all("[tabindex]")) {
  if (Number(element.getAttribute("tabindex")) > 0) complain("an element jumps the queue", element);
}
for (const table of all("table")) {
  if (!table.caption?.textContent.trim()) complain("a table has no caption", table);
  for (const head of table.querySelectorAll("th")) {
    if (!head.scope) complain("a head of a table has no scope", head);
  }
  if (!table.querySelector("th")) complain("a table has no heads", table);
}

// WCAG 2.2, 1.4.3: 4.5 to 1, and 3 to 1 for large text.
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const over = (top, below) => {
  const alpha = top[3] / 255;
  return [0, 1, 2].map((part) => top[part] * alpha + below[part] * (1 - alpha));
};
const background = (element) => {
  const layers = [];
  for (let one = element; one; one = one.parentElement) {
    const colour = rgba(getComputedStyle(one).backgroundColor);
    layers.push(colour);
    if (colour[3] === 255) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), rgba("Canvas"));
};
const luminance = (colour) => {
  const parts = colour.slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
for (const element of all("body *")) {
  const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!hasText || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
  if (["SCRIPT", "STYLE", "NOSCRIPT", "TITLE", "OPTION"].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const below = background(element);
  const [one, other] = [luminance(over(rgba(style.color), below)), luminance(below)];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (contrast < (isLarge ? 3 : 4.5)) complain(`a contrast of ${contrast.toFixed(2)} to 1`, element);
}

if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
  complain("the page is wider than its window");
}
return complaints;
