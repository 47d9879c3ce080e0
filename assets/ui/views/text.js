// Texts, for reading: one below the other, or in columns.
renderers.text = (row, { label }) => {
  const box = document.createElement('div');
  box.className = 'texts';
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', label);
  box.style.gridTemplateColumns = `repeat(auto-fit, minmax(max(150px, calc(100% / ${row.columns} - 20px)), 1fr))`;
  for (const text of row.texts[0]) box.appendChild(Object.assign(document.createElement('p'), { textContent: text }));
  return {
    element: box,
    fit(room) { box.style.width = `${Math.min(room, row.width)}px`; },
    draw(at) {
      row.texts[at].forEach((text, i) => { box.children[i].textContent = text; });
      return true;
    },
  };
};
