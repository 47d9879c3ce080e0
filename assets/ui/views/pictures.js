// Pictures: tiles of a sprite sheet, frames below each other. `other` is the sheet that the x̂ button shows instead of `source`. Ink is
// dark on white where the page is light, as people write, and white on black where it is dark, as MNIST stores it.
renderers.pictures = (row, { redraw, label, source, other, side }) => {
  const canvas = document.createElement('canvas'), context = canvas.getContext('2d');
  const [high, wide] = row.tile || [side, side], columns = (row.width + 1) / (wide + 1), lines = (row.height + 1) / (high + 1);
  const GAP = 6;
  let size = [wide, high];
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  const load = (sheet) => { const image = new Image(); image.onload = redraw; image.src = sheet; return image; };
  const sheet = load(source), second = other && load(other);
  return {
    element: canvas,
    other: Boolean(second),
    natural: [columns * wide, lines * high],
    gaps: [(columns - 1) * GAP, (lines - 1) * GAP],
    high,
    columns,
    gap: GAP,
    resize(scale) {
      size = [Math.max(8, Math.floor(wide * scale)), Math.max(8, Math.floor(high * scale))];
      const fine = window.devicePixelRatio || 1, across = columns * size[0] + (columns - 1) * GAP, down = lines * size[1] + (lines - 1) * GAP;
      canvas.style.width = `${across}px`;
      canvas.style.height = `${down}px`;
      canvas.width = Math.round(across * fine);
      canvas.height = Math.round(down * fine);
    },
    // which tile lies at a point of the canvas, in its CSS pixels
    tileAt(x, y) { return Math.floor(y / (size[1] + GAP)) * columns + Math.min(columns - 1, Math.floor(x / (size[0] + GAP))); },
    // One tile at (left, top) of a context, so large.
    tile(target, number, [across, down], left, top, at, guessing) {
      const image = guessing && second ? second : sheet, column = number % columns, line = Math.floor(number / columns);
      target.imageSmoothingEnabled = false;
      target.drawImage(image, column * (wide + 1), at * row.height + line * (high + 1), wide, high, left, top, across, down);
      if (row.ink !== false && !document.body.classList.contains('dark')) {
        target.globalCompositeOperation = 'difference';
        target.fillStyle = '#fff';
        target.fillRect(left, top, across, down);
        target.globalCompositeOperation = 'source-over';
        target.strokeStyle = getComputedStyle(canvas).getPropertyValue('--border-color-primary');
        target.strokeRect(left + 0.5, top + 0.5, across - 1, down - 1);
      }
    },
    draw(at, guessing) {
      const image = guessing && second ? second : sheet, fine = window.devicePixelRatio || 1;
      if (!image.complete || !image.naturalWidth) return false;
      context.setTransform(fine, 0, 0, fine, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      const at_ = (number) => [number % columns * (size[0] + GAP), Math.floor(number / columns) * (size[1] + GAP)];
      for (let number = 0; number < columns * lines; number++) this.tile(context, number, size, ...at_(number), at, guessing);
      context.fillStyle = getComputedStyle(canvas).getPropertyValue('--dgm-mask');
      for (const i of row.hidden) {  // pixels of the sheet
        const x = i % row.width, y = Math.floor(i / row.width), column = Math.floor(x / (wide + 1)), line = Math.floor(y / (high + 1));
        const [left, top] = at_(line * columns + column), edge = (k, of, to) => Math.round(k * to / of), [inX, inY] = [x - column * (wide + 1), y - line * (high + 1)];
        const [x0, y0, x1, y1] = [edge(inX, wide, size[0]), edge(inY, high, size[1]), edge(inX + 1, wide, size[0]), edge(inY + 1, high, size[1])];
        context.fillRect(left + x0, top + y0, x1 - x0, y1 - y0);
      }
      return true;
    },
  };
};
