// A row of radios that looks like one control. The radios are native: arrow
// keys, focus and forms are the browser's.

export function mountSegmented(fieldset, onChange) {
  const inputs = [...fieldset.querySelectorAll('input')];
  fieldset.addEventListener('change', (event) => onChange(event.target.value));
  return {
    update(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
    focus() {
      (inputs.find((input) => input.checked) ?? inputs[0]).focus();
    },
  };
}
