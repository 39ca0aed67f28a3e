// The calm page for an address that does not exist: only its language.

import { mountAppbar } from '../ui/appbar.js';

mountAppbar();
