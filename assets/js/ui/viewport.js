// What can be seen of the page, where the browser's own measures do not tell: a
// phone's keyboard may lie over the page (interactive-widget is not known
// everywhere), and what is left of a phone on its side is flat. The layout of a
// conversation uses them: --view, .has-keyboard and .is-flat.

const keyboardAtLeast = 80;
const flatBelow = 300;

export function followView() {
  const view = globalThis.visualViewport;
  const root = document.documentElement;
  const follow = () => {
    // A pinch zoom also makes the view smaller; that is no keyboard.
    const pinched = view && view.scale > 1.01;
    const covered = view && !pinched ? innerHeight - view.height : 0;
    const keyboard = covered >= keyboardAtLeast;
    root.classList.toggle('has-keyboard', keyboard);
    root.classList.toggle('is-flat', (keyboard ? view.height : innerHeight) < flatBelow);
    if (keyboard) {
      root.style.setProperty('--view', `${Math.round(view.height)}px`);
      scrollTo(0, 0);
    } else {
      root.style.removeProperty('--view');
    }
  };
  view?.addEventListener('resize', follow);
  addEventListener('resize', follow);
  follow();
}
