// Finds, creates and fills elements of the page.

export function byId(id) {
  return document.getElementById(id);
}

export function element(tag, className = "", text = "") {
  const created = document.createElement(tag);
  if (className) created.className = className;
  if (text) created.textContent = text;
  return created;
}

// Set the text of an element. An element that has this text already is left alone: a change would lose a selection.
export function setText(target, text) {
  const found = typeof target === "string" ? byId(target) : target;
  if (found.textContent !== text) found.textContent = text;
}

// Show a number with its unit in a smaller font.
export function setQuantity(target, number, unit) {
  const found = typeof target === "string" ? byId(target) : target;
  found.replaceChildren(number, ...(unit ? [element("small", "", unit)] : []));
}
