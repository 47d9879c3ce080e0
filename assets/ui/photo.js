// A picture in colour that a panel works on: one that ships, or a person's own.
const image = element.querySelector('img');
function take() {
  const given = props.value;
  if (!given?.picture) return;
  image.src = dgm.source(given.picture);
  image.alt = given.uploaded ? 'your picture' : `picture ${given.of}`;
}
image.addEventListener('load', () => image.classList.toggle('small', image.naturalWidth <= 64));
watch('value', take);
take();
