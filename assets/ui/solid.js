// A molecule in space: balls and sticks, nearer ones larger and before farther ones. Dragged, or by the arrow keys, it turns.
function solid(box) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  box.replaceChildren(svg);  // first of all: what is empty would be tried again
  const { atoms, bonds } = JSON.parse(box.dataset.solid), SVG = 'http://www.w3.org/2000/svg', SIDE = 220, BALL = { H: 0.28, C: 0.4 };
  const reach = Math.max(...atoms.map(([, ...place]) => Math.hypot(...place))) + 0.6, scale = SIDE / 2.1 / reach;
  let places = atoms.map(([, ...place]) => place), from = null;
  svg.setAttribute('viewBox', `${-SIDE / 2} ${-SIDE / 2} ${SIDE} ${SIDE}`);
  svg.setAttribute('role', 'application');
  svg.setAttribute('aria-label', `${box.dataset.name} in space; arrow keys turn it`);
  svg.setAttribute('tabindex', '0');
  const turn = (across, up) => {
    const [c, s, d, t] = [Math.cos(across), Math.sin(across), Math.cos(up), Math.sin(up)];
    places = places.map(([x, y, z]) => [c * x + s * z, y, c * z - s * x]).map(([x, y, z]) => [x, d * y - t * z, d * z + t * y]);
  };
  const part = (kind, name, how) => { const made = document.createElementNS(SVG, kind); made.setAttribute('class', name); for (const [key, value] of Object.entries(how)) made.setAttribute(key, value); return made; };
  const draw = () => {
    const near = (z) => 1 + 0.18 * z / reach, at = ([x, y, z]) => [x * scale * near(z), -y * scale * near(z)];
    const radius = (i) => (BALL[atoms[i][0]] || 0.42) * scale * near(places[i][2]);
    const parts = atoms.map(([element], i) => {
      const [cx, cy] = at(places[i]);
      return [places[i][2], part('circle', `atom ${element}`, { cx, cy, r: radius(i) })];
    });
    for (const [one, other, order] of bonds) {
      let [a, b] = [at(places[one]), at(places[other])];
      const long = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1, inward = [one, other].map((i) => 0.8 * radius(i) * Math.min(1, long / (1.4 * scale)) / long);
      [a, b] = [[0, 1].map((k) => a[k] + (b[k] - a[k]) * inward[0]), [0, 1].map((k) => b[k] + (a[k] - b[k]) * inward[1])];
      const aside = [(a[1] - b[1]) / long, (b[0] - a[0]) / long], depth = (places[one][2] + places[other][2]) / 2 - 0.05;
      for (let line = 0; line < order; line++) {
        const off = (line - (order - 1) / 2) * 0.26 * scale;
        parts.push([depth, part('line', 'stick', { x1: a[0] + aside[0] * off, y1: a[1] + aside[1] * off, x2: b[0] + aside[0] * off, y2: b[1] + aside[1] * off, 'stroke-width': (order > 1 ? 0.12 : 0.2) * scale })]);
      }
    }
    svg.replaceChildren(...parts.sort((a, b) => a[0] - b[0]).map(([, made]) => made));
  };
  svg.addEventListener('pointerdown', (event) => { from = [event.clientX, event.clientY]; svg.setPointerCapture(event.pointerId); });
  svg.addEventListener('pointermove', (event) => {
    if (!from) return;
    turn((event.clientX - from[0]) / 80, (event.clientY - from[1]) / 80);
    from = [event.clientX, event.clientY];
    draw();
  });
  for (const end of ['pointerup', 'pointercancel']) svg.addEventListener(end, () => { from = null; });
  svg.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    turn(...way);
    draw();
  });
  turn(0.5, 0.3);
  draw();
}
new MutationObserver(() => { for (const box of document.querySelectorAll('.dgm-solid:empty')) solid(box); }).observe(document.documentElement, { childList: true, subtree: true });
