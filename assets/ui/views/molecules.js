// Molecules: each drawn as far as its string has come, the string below it. A string that is none says what is wrong with it.
renderers.molecules = (row, { label }) => {
  const box = document.createElement('div'), SVG = 'http://www.w3.org/2000/svg', side = row.width / row.columns;
  box.className = 'molecules';
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', label);
  const tiles = row.molecules.map((molecule, number) => {
    const tile = Object.assign(document.createElement('figure'), { className: molecule.wrong ? 'wrong' : '' });
    const svg = document.createElementNS(SVG, 'svg'), text = document.createElement('figcaption');
    tile.dataset.tile = number;
    tile.title = molecule.wrong ? `${molecule.smiles}: ${molecule.wrong}` : molecule.smiles;
    svg.setAttribute('viewBox', `0 0 ${side} ${side}`);
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', tile.title);
    const parts = molecule.drawing.map(([atom, d, element, filled]) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('d', d);
      path.setAttribute('class', `${filled ? 'letter' : 'bond'} ${element}`);
      path.atom = atom;
      svg.appendChild(path);
      return path;
    });
    tile.append(svg, text);
    box.appendChild(tile);
    return { tile, parts, text, molecule };
  });
  return {
    element: box,
    natural: [row.width, row.height],
    gaps: [4 * (row.columns - 1), 2 * (Math.ceil(row.molecules.length / row.columns) - 1)],
    columns: row.columns,
    most: 1.6,
    resize(scale) {
      box.style.gridTemplateColumns = `repeat(${row.columns}, ${Math.floor(side * scale)}px)`;
      box.style.setProperty('--side', `${Math.floor(side * scale)}px`);
    },
    tileAt: (x, y, target) => Number(target.closest('[data-tile]')?.dataset.tile ?? -1),
    draw(at) {
      tiles.forEach(({ parts, text, molecule, tile }, i) => {
        const letters = row.letters[at][i], atoms = molecule.atoms[Math.min(letters, molecule.atoms.length - 1)];
        for (const path of parts) path.style.visibility = path.atom < atoms ? '' : 'hidden';
        const over = at === row.letters.length - 1;
        const said = row.says ? row.says[at][i] : molecule.smiles.slice(0, letters);
        text.textContent = over && molecule.wrong ? molecule.wrong : said || '\u00a0';
        tile.classList.toggle('over', over);
      });
      return true;
    },
  };
};
