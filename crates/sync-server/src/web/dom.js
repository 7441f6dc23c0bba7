// Elements from what they are to hold. Text is always text: nothing that comes from rows can become markup.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "line", "path", "circle", "text", "title", "polyline"]);

/** An element: `h("p.quiet", {id: "x"}, "text", other)`. Without a value an attribute is left out. */
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (classes.length > 0) element.setAttribute("class", classes.join(" "));
  const isPlain = attributes && Object.getPrototypeOf(attributes) === Object.prototype;
  if (isPlain) {
    for (const [key, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      const text = value === true ? "" : String(value);
      element.setAttribute(key, key === "class" && classes.length > 0 ? `${classes.join(" ")} ${text}` : text);
    }
  } else if (attributes !== undefined) {
    children.unshift(attributes);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Words in which what is typed or named stands between backticks. */
export function rich(text) {
  return String(text).split("`").map((part, place) => (place % 2 === 1 ? h("code", part) : part));
}

/** Makes `old` look like `wanted` and keeps what is equal: focus, open parts and scrolled places stay. */
export function morph(old, wanted) {
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName || keyOf(old) !== keyOf(wanted)) {
    old.replaceWith(wanted);
    return;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // What a person opened stays open.
    if (!wanted.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  // What a person typed or chose stays as it is.
  if (["INPUT", "SELECT", "TEXTAREA"].includes(old.nodeName)) return;
  morphChildren(old, wanted);
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function morphChildren(old, wanted) {
  const keyed = new Map();
  for (const child of old.children) {
    const key = keyOf(child);
    if (key !== null) keyed.set(key, child);
  }
  let place = old.firstChild;
  for (const child of [...wanted.childNodes]) {
    const known = keyed.get(keyOf(child));
    if (known && known.nodeName === child.nodeName) {
      keyed.delete(keyOf(child));
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      morph(known, child);
    } else if (place && keyOf(place) === null && keyOf(child) === null && place.nodeName === child.nodeName) {
      const next = place.nextSibling;
      morph(place, child);
      place = next;
    } else {
      old.insertBefore(child, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** Shows these children and nothing else in `element`. */
export function show(element, ...children) {
  const wanted = element.cloneNode(false);
  append(wanted, children);
  morphChildren(element, wanted);
}
