// Pictures side by side under their words, each to be opened and saved.
const box = element.querySelector('.pictures'), receipt = element.querySelector('.dgm-receipt');
function figure(each) {
  const made = document.createElement('figure'), image = new Image(), words = document.createElement('figcaption');
  const save = Object.assign(document.createElement('a'), { href: each.picture, download: each.file, textContent: 'save' });
  image.src = each.picture;
  image.alt = each.words;
  words.append(each.words, ' ', save);
  made.append(image, words);
  return made;
}
let last = null;
async function take() {
  const value = props.value;
  last = value;
  const given = await dgm.fetched(value);
  if (!given?.pictures || last !== value) return;
  box.replaceChildren(...given.pictures.map(figure));
  receipt.textContent = given.receipt;
  if (given.link) dgm.here(given.link, Boolean(value.made));
}
watch('value', take);
take();
