// Where one writes. Enter sends with a hardware keyboard and never while an
// input method composes; on touch Enter breaks the line. Keeps its own text.

import { byTest, setCounting, setHidden, setText } from '../lib/dom.js';
import { around, t } from '../lib/i18n.js';
import { countCharacters, orBlank, shows } from '../model/text.js';
import { wellFormed } from '../model/well-formed.js';

const countFrom = 200;

export function mountComposer(form, { limit, onSend, onInput, onDropReply }) {
  const input = byTest('composer', form);
  const send = byTest('send', form);
  const strip = byTest('reply-strip', form);
  const counter = form.querySelector('.composer-count');
  let reply = null;

  const isTouch = () => matchMedia('(hover: none) and (pointer: coarse)').matches;
  const left = () => limit() - countCharacters(input.value.trim());

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  // The button must not take the focus away: the phone's keyboard stays open.
  send.addEventListener('pointerdown', (event) => event.preventDefault());
  input.addEventListener('input', changed);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey && !isTouch()) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape' && reply) {
      onDropReply();
    }
  });
  byTest('reply-cancel', form).addEventListener('click', () => {
    onDropReply();
    input.focus();
  });

  function submit() {
    const text = wellFormed(input.value.trim());
    if (!shows(text) || left() < 0) return;
    onSend(text, reply);
    input.value = '';
    changed();
    input.focus({ preventScroll: true });
  }

  function changed() {
    fit();
    const rest = left();
    setHidden(counter, rest > countFrom);
    if (rest <= countFrom) setCounting(counter, around(rest >= 0 ? 'chat.left' : 'chat.over', 'n'), String(Math.abs(rest)));
    counter.classList.toggle('is-over', rest < 0);
    const empty = !shows(input.value);
    send.setAttribute('aria-disabled', String(empty || rest < 0));
    onInput(input.value);
  }

  /** Browsers without field-sizing need to be told the height. */
  function fit() {
    if (CSS.supports('field-sizing', 'content')) return;
    input.style.setProperty('height', 'auto');
    input.style.setProperty('height', `${input.scrollHeight}px`);
  }

  return {
    element: form,
    input,
    focus: () => input.focus({ preventScroll: true }),
    text: () => input.value,
    setText(text) {
      input.value = text;
      changed();
    },
    /** Empties the field; answers what stood in it. */
    take() {
      const text = wellFormed(input.value.trim());
      if (input.value !== '') {
        input.value = '';
        changed();
      }
      return text;
    },
    showReply(next, partnerName) {
      reply = next;
      setHidden(strip, !reply);
      if (reply) {
        const words = { name: partnerName, text: orBlank(reply.text, t('msg.blank')) };
        setText(strip.querySelector('.reply-text'), reply.mine ? t('chat.quoteOwn', words) : t('chat.quoteOf', words));
      }
    },
    relabel: changed,
  };
}
