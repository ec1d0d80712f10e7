/* Highlight: code to coloured pieces.
 *
 * Not a parser: for each language one expression finds what can be told apart at a glance: comments,
 * strings, numbers, words of the language, names that are called, names that look like types. That is
 * what colours are for in an answer, and it costs 2 kB where the common highlighters cost 19 to 50. A
 * language that is not listed, and a text too long to colour between two frames, has no colour. */

/** @typedef {"comment" | "string" | "number" | "keyword" | "function" | "type" | "property" | "tag" |
 *   "inserted" | "deleted"} Kind */
/** @typedef {string | { kind: Kind, text: string }} Piece */

const CHARACTERS_MAX = 50000;

const SLASHES = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|(?![\s\S]))`;
const HASH = String.raw`#[^\n]*`;
const DASHES = String.raw`--[^\n]*`;
const QUOTED = String.raw`"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?`;
const BACKTICKS = "`(?:\\\\[\\s\\S]|[^`\\\\])*`?";
const TRIPLE = String.raw`[a-zA-Z]{0,2}"""[\s\S]*?(?:"""|(?![\s\S]))|[a-zA-Z]{0,2}'''[\s\S]*?(?:'''|(?![\s\S]))`;
const C_WORDS = "break case continue default do else enum for if return static struct switch while const " +
    "void int long short char float double unsigned signed sizeof true false bool";
const OBJECT_WORDS = "class new this super try catch finally throw import null public private protected " +
    "interface extends abstract final var";

/** @type {Record<string, { comment?: string, string?: string, words?: string, ignoreCase?: boolean }>} */
const LANGUAGES = {
    c: { comment: SLASHES, words: `${C_WORDS} typedef union extern goto inline register volatile restrict NULL #include #define #if #ifdef #ifndef #else #elif #endif` },
    cpp: { comment: SLASHES, words: `${C_WORDS} ${OBJECT_WORDS} typedef union extern template typename namespace using virtual override auto nullptr delete operator constexpr noexcept inline #include #define #if #ifdef #ifndef #else #endif` },
    csharp: { comment: SLASHES, words: `${C_WORDS} ${OBJECT_WORDS} using namespace string object async await foreach in out ref get set virtual override readonly is as record` },
    java: { comment: SLASHES, words: `${C_WORDS} ${OBJECT_WORDS} package implements throws instanceof synchronized boolean byte record` },
    kotlin: { comment: SLASHES, words: `${OBJECT_WORDS} fun val when object data sealed companion override is in as return if else for while do true false package suspend` },
    swift: { comment: SLASHES, words: "func let var class struct enum protocol extension import return if else guard for in while switch case default break continue self init nil true false try catch throw throws async await public private static override" },
    javascript: { comment: SLASHES, string: `${QUOTED}|${BACKTICKS}`, words: `${OBJECT_WORDS} function const let return if else for while do switch case default break continue of in typeof instanceof async await yield export from delete void undefined true false static` },
    typescript: { comment: SLASHES, string: `${QUOTED}|${BACKTICKS}`, words: `${OBJECT_WORDS} function const let return if else for while do switch case default break continue of in typeof instanceof async await yield export from delete void undefined true false static type enum implements readonly namespace declare as keyof string number boolean any unknown never` },
    go: { comment: SLASHES, string: `${QUOTED}|${BACKTICKS}`, words: "package import func var const type struct interface map chan go defer select range return if else for switch case default break continue fallthrough nil true false string int error bool byte rune make len append" },
    rust: { comment: SLASHES, string: String.raw`"(?:\\[\s\S]|[^"\\])*"?|'(?:\\.|[^'\\\n])'`, words: "fn let mut const static struct enum trait impl for in while loop if else match return break continue use mod pub crate self Self super where as dyn ref move async await unsafe true false type" },
    python: { comment: HASH, string: `${TRIPLE}|[fFrRbB]{0,2}(?:${QUOTED})`, words: "def class return if elif else for while in not and or is lambda import from as with try except finally raise pass break continue global nonlocal yield async await None True False self match case del assert" },
    ruby: { comment: HASH, words: "def class module end if elsif else unless while until for in do return yield begin rescue ensure raise require include attr_accessor nil true false self and or not then case when" },
    php: { comment: `${SLASHES}|${HASH}`, words: `${OBJECT_WORDS} function echo return if else elseif for foreach while as switch case default break continue array true false use namespace static const` },
    bash: { comment: String.raw`(?<![\w$])#[^\n]*`, words: "if then else elif fi for while until do done case esac in function return local export exit echo cd set unset read source sudo" },
    lua: { comment: DASHES, words: "function local end if then else elseif for while do repeat until return break in nil true false and or not" },
    sql: { comment: `${DASHES}|${SLASHES}`, ignoreCase: true, words: "select from where insert into values update set delete create table index view drop alter add primary key foreign references join left right inner outer full on as and or not null is in like between group by order having limit offset union all distinct case when then else end exists count sum avg min max default unique constraint with begin commit integer text varchar" },
    json: { words: "true false null" },
    yaml: { comment: String.raw`(?<!\S)#[^\n]*`, words: "true false null yes no" },
    ini: { comment: String.raw`(?<!\S)[#;][^\n]*`, words: "true false" },
    makefile: { comment: HASH, words: "ifeq ifneq ifdef endif else include export" },
    css: { comment: String.raw`\/\*[\s\S]*?(?:\*\/|(?![\s\S]))`, words: "@media @import @supports @keyframes @font-face important" },
    r: { comment: HASH, words: "function if else for while in repeat return next break TRUE FALSE NULL NA library" },
};

/** Names that models write and the table spells otherwise. @type {Record<string, string>} */
const ALIASES = {
    "c++": "cpp", cc: "cpp", hpp: "cpp", h: "c", "c#": "csharp", cs: "csharp", sh: "bash",
    shell: "bash", zsh: "bash", console: "bash", js: "javascript", mjs: "javascript",
    jsx: "javascript", ts: "typescript", tsx: "typescript", py: "python", python3: "python",
    rs: "rust", golang: "go", yml: "yaml", toml: "ini", kt: "kotlin", make: "makefile", rb: "ruby",
    jsonc: "json", scss: "css", dart: "java", scala: "kotlin", html: "markup", xml: "markup",
    svg: "markup", vue: "markup", patch: "diff", dockerfile: "bash", powershell: "bash",
};

/** @type {Map<string, RegExp>} */
const compiled = new Map();

/** One expression with a named group for each kind. @param {string} name */
function expressionOf(name) {
    const known = compiled.get(name);
    if (known) return known;
    const { comment, string = QUOTED, words = "", ignoreCase } = LANGUAGES[name];
    const list = words.split(" ").join("|").replace(/[#@]/g, "\\$&");
    const property = name === "yaml" || name === "ini" || name === "css"
        ? String.raw`|(?<property>(?<=^|[\s{;])[\w-]+(?=\s*[:=]))` : "";
    const expression = new RegExp([
        comment && `(?<comment>${comment})`,
        name === "json" && String.raw`(?<property>"(?:\\.|[^"\\\n])*"(?=\s*:))`,
        `(?<string>${string})`,
        String.raw`(?<number>\b(?:0x[\da-f_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)\w*\b)`,
        list && String.raw`(?<keyword>(?<![\w$.-])(?:${list})(?![\w-]))`,
        String.raw`(?<function>\b[a-zA-Z_$][\w$]*(?=\())`,
        String.raw`(?<type>\b[A-Z][a-z]\w*\b)`,
    ].filter(Boolean).join("|") + property, ignoreCase ? "gim" : "gm");
    compiled.set(name, expression);
    return expression;
}

const MARKUP = /(?<comment><!--[\s\S]*?(?:-->|(?![\s\S])))|(?<tag><\/?[\w:-]+|\/?>)|(?<property>[\w:@.-]+(?==))|(?<string>"[^"]*"|'[^']*')/g;
const DIFF = /(?<inserted>^\+[^\n]*)|(?<deleted>^-[^\n]*)|(?<comment>^@@[^\n]*)/gm;

/**
 * @param {string} code
 * @param {string} name as after the fence
 * @returns {Piece[]}
 */
export function toPieces(code, name) {
    const lower = name.toLowerCase();
    const language = ALIASES[lower] ?? lower;
    const fixed = { markup: MARKUP, diff: DIFF }[language];
    if (code.length > CHARACTERS_MAX || (!fixed && !Object.hasOwn(LANGUAGES, language))) return [code];
    /** @type {Piece[]} */
    const pieces = [];
    let end = 0;
    for (const match of code.matchAll(fixed ?? expressionOf(language))) {
        const groups = Object.entries(match.groups ?? {});
        const kind = groups.find(([, text]) => text !== undefined)?.[0];
        if (match.index > end) pieces.push(code.slice(end, match.index));
        pieces.push({ kind: /** @type {Kind} */ (kind), text: match[0] });
        end = match.index + match[0].length;
    }
    if (end < code.length) pieces.push(code.slice(end));
    return pieces;
}
