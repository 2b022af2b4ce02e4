/* A table that is wider than the screen scrolls; whoever has no mouse must be able to reach it. */
addEventListener("load", () => {
  for (const each of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0
  }
})
