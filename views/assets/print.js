// A button that prints the page, at the end of each row of buttons that asks for one.
for (const row of document.querySelectorAll('[data-print]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = row.dataset.print;
  button.addEventListener('click', () => window.print());
  row.append(button);
}
