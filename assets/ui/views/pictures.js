// Pictures: frames of a sprite sheet, below each other. `other` is the sheet that the x̂ button shows instead of `source`.
renderers.pictures = (row, { redraw, label, source, other }) => {
  const canvas = document.createElement('canvas'), context = canvas.getContext('2d');
  canvas.width = row.width; canvas.height = row.height;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  const load = (sheet) => { const image = new Image(); image.onload = redraw; image.src = sheet; return image; };
  const sheet = load(source), second = other && load(other);
  return {
    element: canvas,
    other: Boolean(second),
    draw(at, guessing) {
      const image = guessing && second ? second : sheet, { width, height } = row;
      if (!image.complete || !image.naturalWidth) return false;
      context.drawImage(image, 0, at * height, width, height, 0, 0, width, height);
      context.fillStyle = getComputedStyle(canvas).getPropertyValue('--dgm-mask');
      for (const i of row.hidden) context.fillRect(i % width, Math.floor(i / width), 1, 1);
      return true;
    },
  };
};
