// Sets the formulas, makes smaller what would not fit (to 60 % at most), and starts reveal.js.
(async () => {
  const delimiters = [
    { left: "$$", right: "$$", display: true },
    { left: "$", right: "$", display: false },
  ];
  renderMathInElement(document.querySelector(".slides"), { delimiters, throwOnError: false });
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (const sheet of document.querySelectorAll(".sheet")) {
    const over = () =>
      sheet.scrollHeight > sheet.clientHeight || sheet.scrollWidth > sheet.clientWidth ||
      [...sheet.querySelectorAll("img")].some((img) => img.clientHeight < 300);
    for (let size = 30; over() && size > 18; ) sheet.style.fontSize = `${(size -= 1)}px`;
  }
  document.body.classList.remove("measuring");
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t",
    transition: "none", controls: true, progress: true, navigationMode: "linear",
  });
  document.body.dataset.ready = "yes";
})();
