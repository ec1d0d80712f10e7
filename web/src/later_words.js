/* Later words: the sentences of what is fetched later are fetched with it. A module of that kind takes
 * its t() from here, so that the words are there before it says any. */

import { addWords, t as say } from "./i18n.js";
import en from "../strings/later_en.js";
import zh from "../strings/later_zh.js";

addWords("en", en);
addWords("zh", zh);

export const t = say;
