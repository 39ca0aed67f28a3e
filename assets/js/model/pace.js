// Whether a device is quick enough for motion that nothing depends on. It is judged by what drawing the
// last messages took; one that was held up by something else does not decide. Pure.

const quick = 8; // ms: half of a frame

export function newPace() {
  let usual = 0;
  return {
    /** @param {number} ms what one took */
    took(ms) {
      usual = (usual + ms) / 2;
    },
    isQuick: () => usual < quick,
  };
}
