// Points of the plane: dots in tiles, those of data behind them. Places are bytes, 1 to 255 along each axis, the second axis upwards; 0: outside.
renderers.dots = (row, { label }) => {
  const canvas = document.createElement('canvas'), context = canvas.getContext('2d'), fine = 2;
  canvas.className = 'dots';
  canvas.width = fine * row.width; canvas.height = fine * row.height;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  const bytes = (packed) => Uint8Array.from(atob(packed.slice(packed.indexOf(',') + 1)), (c) => c.charCodeAt(0));
  const moving = bytes(row.points), still = row.behind ? bytes(row.behind) : [];
  const side = (row.width + 8) / row.columns - 8, step = side + 8;
  const dots = (places, from, many, left, top, size, colour) => {
    context.fillStyle = colour;
    for (let i = 0; i < many; i++) {
      if (!places[from + 2 * i]) continue;
      const [x, y] = [0, 1].map((axis) => (places[from + 2 * i + axis] - 1) / 254 * (side - 1));
      context.beginPath();
      context.arc(left + x, top + side - 1 - y, size, 0, 2 * Math.PI);
      context.fill();
    }
  };
  return {
    element: canvas,
    natural: [row.width, row.height],
    gaps: [0, 0],
    most: 1.6,
    resize(scale) { canvas.style.width = `${Math.floor(row.width * scale)}px`; },
    draw(at) {
      const style = getComputedStyle(canvas);
      context.setTransform(fine, 0, 0, fine, 0, 0);
      context.clearRect(0, 0, row.width, row.height);
      for (let tile = 0; tile < row.tiles; tile++) {
        const left = tile % row.columns * step, top = Math.floor(tile / row.columns) * step;
        context.strokeStyle = style.getPropertyValue('--border-color-primary');
        context.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
        dots(still, 0, still.length / 2, left, top, 1.5, style.getPropertyValue('--dgm-data'));
        dots(moving, 2 * (at * row.tiles + tile) * row.many, row.many, left, top, 2.5, style.getPropertyValue('--dgm-model'));
      }
      return true;
    },
  };
};
