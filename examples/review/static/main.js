// The page works without any of this. What is added here: times in the reader's zone, keys, going from one session to
// the next without a blank page between them, and knowing whether a face has arrived before it is decided on.

import { showTimes } from "./times.js";
import { watchFaces } from "./faces.js";
import { listen } from "./keys.js";
import { lens } from "./lens.js";
import { offerCopies } from "./copy.js";
import { lookOut } from "./news.js";
import { follow, onArrival } from "./swap.js";

listen();
follow();
onArrival((main) => {
  if (main.querySelector(":scope > .arrived")) {
    main.querySelector(":scope > .loading")?.remove();
  }
  showTimes(main);
  watchFaces(main);
  lens(main);
  offerCopies(main);
  lookOut(main);
});
