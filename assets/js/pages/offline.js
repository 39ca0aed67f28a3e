// What is shown in the place of a page when no server answers: why, the way back to
// words that can still be written, and it goes on by itself.

import { byTest, setHidden } from '../lib/dom.js';
import { once } from '../lib/press.js';
import { getSite, untilAnswered } from '../net/http.js';
import { mountAppbar } from '../ui/appbar.js';
import { isLeft, roomHere } from './room-storage.js';

const ownAddress = '/offline/';

mountAppbar();
const here = roomHere();
const writes = here !== null && !isLeft(here);
setHidden(document.querySelector('[data-slot="offline-room"]'), !writes);
setHidden(byTest('offline-write'), !writes);

const goOn = once(() => (location.pathname === ownAddress ? location.replace('/') : location.reload()));
byTest('offline-again').addEventListener('click', goOn);
untilAnswered(getSite).then(goOn);
