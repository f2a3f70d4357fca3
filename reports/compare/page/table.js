(() => {
  const form = document.querySelector('.filter');
  const words = form.querySelector('input');
  const agree = form.querySelector('select');
  const count = form.querySelector('.count');
  const rows = [...document.querySelectorAll('.rows tbody tr')];
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = (!agree.value || row.dataset.agree === agree.value) && wanted.every((w) => row.dataset.words.includes(w));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = `${shown} of ${rows.length}`;
  };
  form.hidden = false;
  form.addEventListener('submit', (e) => e.preventDefault());
  words.addEventListener('input', apply);
  agree.addEventListener('change', apply);
  apply();
})();
