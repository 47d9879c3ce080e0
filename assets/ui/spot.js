// Spot the fake: a person marks pictures; pressing Check says which were made, and how well both did. The tally lasts as long as the page.
const box = element.querySelector('.dgm-spot'), $ = (name) => box.querySelector(name);
const SIDE = Number(box.dataset.side), tally = {};
let hand = null, marked = new Set(), shown = false;

function card(i, sheet) {
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'card' });
  const canvas = document.createElement('canvas');
  canvas.className = 'dgm-ink';
  canvas.width = canvas.height = SIDE;
  const paint = () => canvas.getContext('2d').drawImage(sheet, i % hand.columns * (SIDE + 1), Math.floor(i / hand.columns) * (SIDE + 1), SIDE, SIDE, 0, 0, SIDE, SIDE);
  if (sheet.complete) paint(); else sheet.addEventListener('load', paint);
  button.append(canvas, document.createElement('span'));
  button.addEventListener('click', () => {
    if (shown) return;
    if (marked.has(i)) marked.delete(i); else marked.add(i);
    say();
  });
  return button;
}
function say() {
  [...$('.cards').children].forEach((button, i) => {
    button.setAttribute('aria-pressed', String(marked.has(i)));
    button.setAttribute('aria-label', `picture ${i + 1}${marked.has(i) ? ', marked as made' : ''}${shown ? (hand.fakes[i] ? ', made' : ', real') : ''}`);
    button.dataset.truth = shown ? (hand.fakes[i] ? 'made' : 'real') : '';
    button.querySelector('span').textContent = shown ? (hand.fakes[i] ? 'made' : 'real') : marked.has(i) ? 'made?' : '';
  });
  $('.check').disabled = shown;
  const right = (marks) => hand.fakes.filter((made, i) => made === marks(i)).length;
  if (!shown) { $('.said').textContent = `${marked.size} marked`; return; }
  $('.said').textContent = `You: ${right((i) => marked.has(i))} of ${hand.fakes.length} right. The reader: ${right((i) => hand.reader[i])}. By chance: ${hand.fakes.length / 2}.`;
}
$('.check').addEventListener('click', () => {
  if (!hand || shown) return;
  shown = true;
  const of = tally[hand.family] ??= [0, 0, 0];
  of[0] += hand.fakes.filter((made, i) => made === marked.has(i)).length;
  of[1] += hand.fakes.filter((made, i) => made === hand.reader[i]).length;
  of[2] += hand.fakes.length;
  $('tbody').innerHTML = '<tr><th></th><th>you</th><th>the reader</th></tr>';
  for (const [family, [mine, theirs, all]] of Object.entries(tally)) {
    const row = document.createElement('tr');
    for (const text of [family, `${Math.round(100 * mine / all)} %`, `${Math.round(100 * theirs / all)} %`]) row.appendChild(Object.assign(document.createElement(text === family ? 'th' : 'td'), { textContent: text }));
    $('tbody').appendChild(row);
  }
  $('.tally').hidden = false;
  say();
});
function take() {
  const given = props.value;
  if (!given?.sheet || (hand && hand.sheet === given.sheet)) return;
  hand = given; marked = new Set(); shown = false;
  const sheet = new Image();
  sheet.src = hand.sheet;
  $('.cards').replaceChildren(...hand.fakes.map((_, i) => card(i, sheet)));
  say();
  if (given.link) dgm.here(given.link, Boolean(given.made));
}
watch('value', take);
take();
