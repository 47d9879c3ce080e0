// The latent plane: decoded pictures as the ground, test digits as dots, q(z|x) of your digit as an ellipse. A click sends z.
const canvas = element.querySelector('canvas'), context = canvas.getContext('2d');
const ground = new Image();
let value = null;
const toPixel = (z) => [(z[0] / value.reach + 1) / 2 * canvas.width, (1 - z[1] / value.reach) / 2 * canvas.height];
function axes() {
  context.fillStyle = '#fff'; context.font = '13px system-ui, sans-serif';
  const reach = value.reach.toFixed(0), { width, height } = canvas;
  const put = (text, x, y, align) => { context.textAlign = align; context.strokeStyle = '#000'; context.lineWidth = 3; context.strokeText(text, x, y); context.fillText(text, x, y); };
  put(`z₁ = −${reach}`, 6, height / 2 - 4, 'left'); put(`z₁ = ${reach}`, width - 6, height / 2 - 4, 'right');
  put(`z₂ = ${reach}`, width / 2, 16, 'center'); put(`z₂ = −${reach}`, width / 2, height - 7, 'center');
}
function draw() {
  if (!value) return;
  context.imageSmoothingEnabled = false;
  context.fillStyle = '#111'; context.fillRect(0, 0, canvas.width, canvas.height);
  if (ground.complete && ground.naturalWidth) { context.globalAlpha = value.dots && value.dots.length ? 0.75 : 1; context.drawImage(ground, 0, 0, canvas.width, canvas.height); context.globalAlpha = 1; }
  for (const [x, y, digit] of value.dots || []) {
    const [px, py] = toPixel([x, y]);
    context.fillStyle = value.colours[digit];
    context.beginPath(); context.arc(px, py, 3, 0, 7); context.fill();
  }
  if (value.ellipse) {
    const [x, y, sx, sy] = value.ellipse, [px, py] = toPixel([x, y]), unit = canvas.width / 2 / value.reach;
    context.strokeStyle = '#ffd54a'; context.lineWidth = 2.5;
    for (const k of [1, 2]) { context.beginPath(); context.ellipse(px, py, Math.max(2, k * sx * unit), Math.max(2, k * sy * unit), 0, 0, 7); context.stroke(); }
  }
  if (value.here) {
    const [px, py] = toPixel(value.here);
    context.strokeStyle = '#fff'; context.lineWidth = 2;
    context.beginPath(); context.moveTo(px - 9, py); context.lineTo(px + 9, py); context.moveTo(px, py - 9); context.lineTo(px, py + 9); context.stroke();
  }
  axes();
}
let picked = null;  // where the last pick went: the answer to an earlier one must not move it back
async function take() {
  if (props.value?.stored) props.value = await dgm.fetched(props.value);
  if (!props.value || !props.value.ground) return;
  const late = picked && props.value.here && picked.some((part, i) => Math.abs(part - props.value.here[i]) > 1e-6);
  value = late ? { ...props.value, here: picked } : props.value;
  if (late) props.value = value; else picked = null;
  if (ground.src !== value.ground) ground.src = value.ground;
  draw();
}
ground.onload = draw;
function pick(z) {
  value = { ...value, here: z.map((part) => Math.max(-value.reach, Math.min(value.reach, part))) };
  picked = value.here;
  props.value = value;
  draw();
  trigger('click');
}
canvas.addEventListener('click', (event) => {
  if (!value) return;
  const box = canvas.getBoundingClientRect();
  pick([((event.clientX - box.left) / box.width * 2 - 1) * value.reach, (1 - (event.clientY - box.top) / box.height * 2) * value.reach]);
});
const MOVES = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] };
canvas.addEventListener('keydown', (event) => {
  if (!value || !value.here || !MOVES[event.key]) return;
  event.preventDefault();
  pick(value.here.map((part, i) => part + MOVES[event.key][i]));
});
watch('value', take);
take();
